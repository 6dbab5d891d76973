import Foundation
import PackagePlugin

/// Writes the revision of the sources into a Swift file before every build. A plugin, because SwiftPM evaluates
/// `Package.swift` once and not after every commit.
@main
struct NoteRevision: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        [
            .prebuildCommand(
                displayName: "Noting the revision", executable: URL(fileURLWithPath: "/bin/sh"),
                arguments: [
                    target.directoryURL.appending(path: "note-revision.sh").path,
                    context.package.directoryURL.path, context.pluginWorkDirectoryURL.path,
                ],
                outputFilesDirectory: context.pluginWorkDirectoryURL)
        ]
    }
}
