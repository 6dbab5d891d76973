import Configuration
import Optimization
import Tensors
import Testing

@Suite struct LoadBiasStepTests {
    @Test("a bias moves against the sign of its expert's excess, by the rate, and stays where there is none")
    func signs() {
        let settings = RoutingConfiguration(
            capacityFactor: CapacityFactor(1), loadBalanceWeight: 0, zLossWeight: 0, normalizeGates: false,
            biasUpdateRate: 0.25)
        let bias = Vector<Float>([1, 1, 1, -1])
        LoadBiasStep(settings).update(bias, excess: Vector([1e-9, -3, 0, 5]))
        #expect(bias.array == [0.75, 1.25, 1, -1.25])
    }
}
