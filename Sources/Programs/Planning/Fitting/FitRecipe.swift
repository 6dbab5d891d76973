/// How a paper fits its law.
package struct FitRecipe: Sendable {
    /// δ of the Huber loss on log residuals.
    package let huber: Double
    /// Start values of every parameter; the starts are all combinations.
    package let grid: [[Double]]
    /// The share of runs, those of lowest loss, that is kept out of the fit to judge it.
    package let heldOut: Double

    init(huber: Double, grid: [[Double]], heldOut: Double) {
        self.huber = huber
        self.grid = grid
        self.heldOut = heldOut
    }
}
