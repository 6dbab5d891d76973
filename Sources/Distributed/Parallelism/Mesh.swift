package import Collectives
import Configuration
package import Model

/// Which ranks work together: the world shares out lanes, an expert group of consecutive ranks shares out experts, and
/// the ranks that hold the same experts, one of each group, are replicas.
package struct Mesh: Sendable {
    package let world: any Communicator
    package let expertGroup: any Communicator
    package let replicas: any Communicator
    /// What this rank holds of every layer's experts.
    package let share: ExpertShare

    /// **Collective** over `world`.
    /// - Parameter expertParallel: ranks of a group, a divisor of every layer's experts and of the world's size
    package init(_ world: any Communicator, expertParallel: Int) throws(CommunicationError) {
        self.world = world
        let group = world.rank / expertParallel, place = world.rank % expertParallel
        expertGroup = try world.split(color: group)
        replicas = try world.split(color: place)
        share = ExpertShare(place, of: expertParallel)
    }

    /// The lane this rank computes in round `round`, nil if there is none left for it. Lanes are dealt like cards.
    package func lane(round: Int, of lanes: Int) -> Int? {
        let lane = round * world.size + world.rank
        return lane < lanes ? lane : nil
    }

    /// Rounds that every rank takes part in, with a lane or only serving its experts.
    package func rounds(lanes: Int) -> Int { (lanes + world.size - 1) / world.size }
}
