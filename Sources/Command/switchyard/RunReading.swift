import Diagnostics
import Foundation
import Planning
import Platform
import RunFormat

/// Reads tables of runs and directories of finished runs.
///
/// - Parameters:
///   - places: files and directories
///   - loss: which loss of a directory's run
///   - needs: what the reader of the runs needs of them
/// - Throws: a `Failure` that names the place
func readRuns(_ places: [String], loss: LossSource, for needs: RunNeeds) throws -> [RunMeasurement] {
    var records: [RunMeasurement] = []
    for place in places {
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory) else {
            throw Failure(.noInput, "there is no \(place)")
        }
        if isDirectory.boolValue {
            records.append(try runMeasurement(directory: place, loss: loss, for: needs))
        } else {
            let table = try runTable(csv: runTableText(place), file: place, for: needs)
            if !table.otherColumns.isEmpty {
                printError("\(place): no law reads the columns \(table.otherColumns.joined(separator: ", "))")
            }
            records += table.records
        }
    }
    return records
}
