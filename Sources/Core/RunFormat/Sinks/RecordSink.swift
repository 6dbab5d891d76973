package import Diagnostics

/// A place where the records of a run go: a file beside the run, or lines for who watches it.
///
/// `RecordSinks` calls it on rank 0, between two collectives: a slow sink delays every rank. A sink that throws ends neither the
/// others nor the run. docs/extending.md says how to add one.
package protocol RecordSink: AnyObject {
    /// Removes what was written of steps after `step`, from which training goes on; 0 when it begins. Called once, before the
    /// first record.
    /// - Throws: `cannotCreate` or `inputOutput`; the run then ends before its first step
    func resume(after step: Int) throws(Failure)

    /// Accepts the record of a step, in the order of steps.
    /// - Throws: `inputOutput` if the record cannot be written now. It then waits in memory for the next call of `append` or
    ///   `flush`, and what was written ends after a whole record
    func append(_ record: StepRecord) throws(Failure)

    /// Writes the records that wait.
    /// - Throws: `inputOutput`, as `append`
    func flush() throws(Failure)
}
