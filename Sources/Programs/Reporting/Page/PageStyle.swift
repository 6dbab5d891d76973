import Charts

/// The style sheet of a page: light and dark as the reader's system, or as its button says.
let pageStyle = """
    :root { color-scheme: light; \(colors(\.light)) }
    :root[data-theme="dark"] { color-scheme: dark; \(colors(\.dark)) }
    @media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { color-scheme: dark; \(colors(\.dark)) } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 1440px; padding: 0 20px 40px; background: var(--surface); color: var(--ink);
      font: 15px/1.45 system-ui, "Helvetica Neue", Arial, sans-serif; }
    header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 6px 24px; border-bottom: 1px solid var(--grid); }
    h1 { font-size: 24px; margin: 18px 0 12px; overflow-wrap: anywhere; }
    h2 { font-size: 20px; margin: 28px 0 10px; overflow-wrap: anywhere; }
    h3 { font-size: 15px; margin: 12px 0 2px; }
    nav { flex: 1; min-width: 0; } nav a { color: var(--muted-ink); margin-right: 14px; }
    button { font: inherit; color: var(--muted-ink); background: none; border: 1px solid var(--grid); border-radius: 6px;
      padding: 2px 10px; cursor: pointer; }
    p { margin: 4px 0; color: var(--muted-ink); overflow-wrap: anywhere; }
    .facts { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 10px; }
    .facts div { background: var(--band); border-radius: 8px; padding: 6px 14px; }
    dt { font-size: 12px; color: var(--muted-ink); } dd { margin: 0; font-size: 19px; font-variant-numeric: tabular-nums; }
    .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 10px 26px; }
    figure { position: relative; margin: 0; min-width: 0; }
    figcaption p { margin: 0; font-size: 13px; }
    svg { display: block; width: 100%; height: auto; touch-action: pan-y; font-family: inherit; }
    .keys { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 13px; } .key, nav a { overflow-wrap: anywhere; min-width: 0; }
    .key i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 5px; }
    .tip { position: absolute; pointer-events: none; background: var(--surface); border: 1px solid var(--axis);
      border-radius: 6px; padding: 4px 9px; font-size: 13px; white-space: nowrap; z-index: 1;
      font-variant-numeric: tabular-nums; }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
    th, td { text-align: right; padding: 3px 10px; border-bottom: 1px solid var(--grid); }
    th { color: var(--muted-ink); font-weight: normal; } th:first-child, td:first-child { text-align: left; }
    td { white-space: nowrap; } .prose td:last-child { white-space: normal; text-align: left; }
    summary { cursor: pointer; color: var(--muted-ink); font-size: 13px; }
    pre { overflow-x: auto; background: var(--band); border-radius: 8px; padding: 10px; font-size: 13px; }
    footer { margin-top: 30px; color: var(--muted-ink); font-size: 13px; }
    @media (max-width: 620px) { svg text { font-size: 20px; } body { padding: 0 12px 24px; } }
    @media print { button, details { display: none; } }
    """

private func colors(_ theme: KeyPath<(name: String, light: String, dark: String), String>) -> String {
    ChartColor.customProperties.map { "\($0.name): \($0[keyPath: theme]);" }.joined(separator: " ")
}
