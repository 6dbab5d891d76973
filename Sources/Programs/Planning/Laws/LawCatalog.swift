package import Diagnostics
import Platform

/// The laws by name.
package enum LawCatalog {
    /// Every form that can be fitted.
    package static let forms: [any ScalingLaw.Type] = [
        JointLaw.self, FineGrainedLaw.self, SparsityLaw.self, ChinchillaLaw.self, RoutedLaw.self, InferenceLaw.self,
        ComprehensiveLaw.self, EfficiencyLeverage.self,
    ]

    /// Every set of published coefficients by the name it has on the command line.
    package static let published: [(name: String, law: any ScalingLaw)] = forms.flatMap { form in
        form.metadata.published.map { ($0.name, form.init(parameters: $0.parameters)) }
    }

    /// Names of published coefficients whose law knows `axis`, for advice.
    static func names(with axis: LawMetadata.Axis) -> String {
        published.filter { type(of: $0.law).metadata.variables.contains(axis) }.map(\.name).joined(separator: " or ")
    }

    /// - Throws: a `Failure` that names the laws there are
    package static func form(named name: String) throws(Failure) -> any ScalingLaw.Type {
        if let form = forms.first(where: { $0.metadata.name == name }) { return form }
        throw unknown(name, among: forms.map { form in form.metadata.name } + RunAnalysis.allCases.map(\.rawValue))
    }

    /// - Throws: a `Failure` that names the laws there are
    package static func published(named name: String) throws(Failure) -> any ScalingLaw {
        if let law = published.first(where: { $0.name == name })?.law { return law }
        if let form = forms.first(where: { $0.metadata.name == name }), form.metadata.observes == .loss {
            throw Failure(
                .usage, "the coefficients of the law `\(name)` were never published",
                advice: "fit them to runs of your own: switchyard fit RUNS --law \(name) --output fit.json, "
                    + "then --law fit.json")
        }
        throw unknown(name, among: published.map { entry in entry.name })
    }

    private static func unknown(_ name: String, among names: [String]) -> Failure {
        let near = nearestName(to: name, among: names).map { "did you mean `\($0)`? " } ?? ""
        return Failure(
            .usage, "there is no law `\(name)`", advice: near + "the laws are " + names.joined(separator: ", "))
    }
}
