/// Columns of the terminal that `descriptor` leads to; nil if it leads to none, or to one that does not say.
package func terminalColumns(of descriptor: Int32) -> Int? { terminalSize(of: descriptor)?.columns }

/// Columns and rows of the terminal; nil as above.
package func terminalSize(of descriptor: Int32) -> (columns: Int, rows: Int)? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return (Int(size.ws_col), size.ws_row > 0 ? Int(size.ws_row) : 24)
}
