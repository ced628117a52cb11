import JSONValues
import Model
import ProviderKit

extension ReleaseReading {
    // MARK: - What has to be read

    /// Belay's objects that the declared template takes the named keys from, and the one that an open intent was to make.
    var comparedObjects: Set<ConfigurationObject> {
        var objects: Set<ConfigurationObject> = []
        if let part = request.openIntent?.route.part, let object = ConfigurationObject(part) { objects.insert(object) }
        guard let environment else { return objects }
        for variable in snapshot.template.variables(of: snapshot.container) where environment.desired.values[variable.name] != nil {
            if let object = own(variable)?.object { objects.insert(object) }
        }
        return objects
    }

    /// What a write would need: Belay's objects with the desired values, and what the template of the pinned revision refers to and the
    /// declared one does not.
    var neededObjects: Set<ConfigurationObject> {
        var objects: Set<ConfigurationObject> = []
        let isChanging = request.depth == .pin && !isPinned(declared)
        if let environment, isChanging || comparison?.differences.isEmpty == false { objects.formUnion(environment.objects.map(\.object)) }
        if isChanging {
            for revision in snapshot.revisions where isPinned(release(revision)) {
                objects.formUnion(returningNeeds(revision).map(\.object))
            }
        }
        return objects.subtracting(self.objects.keys)
    }

    private func own(_ variable: EnvironmentVariable) -> (object: ConfigurationObject, key: String)? {
        guard case .reference(let object, let key, _) = variable.source, object.name.hasPrefix(owner.prefix) else { return nil }
        return (object, key)
    }

    /// What a revision needs, with the desired environment on top, that the declared template does not.
    private func returningNeeds(_ revision: WorkloadRevision) -> [PodTemplate.Need] {
        let wanted = environment?.applied(to: revision.template) ?? revision.template
        let own = environment?.objects.map(\.object) ?? []
        return wanted.needs.subtracting(snapshot.template.needs).filter { !own.contains($0.object) }
            .sorted { ($0.object.text, $0.key ?? "") < ($1.object.text, $1.key ?? "") }
    }

    // MARK: - How it is set

    /// How the environment is set, and how that is not as it must be.
    struct Comparison: Sendable {
        /// The variables of the pinned container by name. Fields of the pod count only where the spec names their key, and what `envFrom`
        /// brings not at all: its keys stand elsewhere.
        var settings: [String: ConfigurationEntry] = [:]
        /// Sorted by key.
        var differences: [ConfigurationDifference] = []
    }

    /// Compares with what ``comparedObjects`` were found to be. A workload that is in place, and whose configuration nobody manages, costs
    /// no more than it must.
    mutating func compare(_ found: [ConfigurationObject: ObjectState]) {
        objects = found
        guard environment != nil || request.readsConfiguration || snapshot.hasHistory else { return }
        var made = Comparison()
        for variable in snapshot.template.variables(of: snapshot.container) { made.settings[variable.name] = entry(variable) }
        if let environment {
            made.differences = environment.desired.differences(from: made.settings, known: request.knownConfiguration)
        }
        comparison = made
    }

    var configuration: ObservedConfiguration? {
        guard let comparison else { return nil }
        let unreadable = objects.filter { $0.key.name.hasPrefix(owner.prefix) }.sorted { $0.key.text < $1.key.text }
        return ObservedConfiguration(
            settings: comparison.settings, differences: comparison.differences,
            route: comparison.differences.isEmpty ? nil : route(to: snapshot.image),
            problem: environment == nil ? nil : unreadable.compactMap(\.value.problem).first)
    }

    private func entry(_ variable: EnvironmentVariable) -> ConfigurationEntry? {
        let named = environment?.desired.values[variable.name]
        switch variable.source {
        case .value(let text):
            // What the kubelet makes of it is not known here.
            if named != nil, EnvironmentVariable.isExpanded(text) { return ConfigurationEntry(marker: "expanded") }
            return entry(variable.name, Secret(text), named, marker: nil)
        case .reference(let object, let key, let isOptional):
            let marker = "\(object.text)/\(key)"
            guard named != nil, own(variable) != nil else { return ConfigurationEntry(marker: marker) }
            switch objects[object] {
            case .found(let content) where content.isOwn && !isOptional:
                return content.values[key].map { entry(variable.name, $0, named, marker: marker) }
            case .missing: return nil
            case .found, .unreadable, nil: return ConfigurationEntry(marker: marker)
            }
        case .field: return named == nil ? nil : ConfigurationEntry(marker: "field")
        }
    }

    private func entry(
        _ key: String, _ value: Secret, _ named: DesiredConfiguration.Value?, marker: String?
    ) -> ConfigurationEntry {
        var entry = request.keeper.entry(key, value, marker: marker)
        if let named, entry.fingerprint == nil, named.secret == value { entry.fingerprint = named.fingerprint }
        return entry
    }

    // MARK: - Ways

    /// What a route does beside its own: the part that is sent next, what it takes away from whom, and why it may not.
    struct Accompaniment {
        /// The object to be made, as ``ConfigurationObject/text``; nil when only the one write to the workload is left.
        var part: String?
        var changes: (set: [String], removed: [String]) = ([], [])
        var cautions: [String] = []
        var refusal: Problem?

        /// `2 keys`, `2 keys set, 1 removed`; nil when there are none.
        var words: String? {
            let set = changes.set.isEmpty ? nil : "\(counted(changes.set.count, "key")) set"
            let removed = changes.removed.isEmpty ? nil : "\(counted(changes.removed.count, "key")) removed"
            let words = [set, removed].compactMap(\.self)
            return words.isEmpty ? nil : words.joined(separator: ", ")
        }
    }

    /// - Parameter template: what is to be written, without the desired environment.
    func accompaniment(of template: PodTemplate, returning needs: [PodTemplate.Need] = []) -> Accompaniment {
        var found = Accompaniment()
        for need in needs {
            guard found.refusal == nil, let state = objects[need.object] else { continue }
            switch state {
            case .missing: found.refusal = missing("\(need.object.words)")
            case .found(let content):
                if let key = need.key, !content.keys.contains(key) { found.refusal = missing("the key \(key) of \(need.object.words)") }
            case .unreadable(let problem):
                found.cautions.append("whether \(need.object.words) still exists is not known; \(problem.next ?? problem.message)")
            }
        }
        guard let environment else { return found }
        found.changes = environment.changes(of: template)
        let live = environment.changes(of: snapshot.template)
        let touched = live.set + live.removed
        found.cautions += snapshot.takeover(ofVariables: touched)
        if environment.desired.isExact, snapshot.template.hasWholeSources(snapshot.container) {
            found.cautions.append("what envFrom brings to container \(snapshot.container) stays: its keys stand elsewhere")
        }
        if !request.takeOwnership, let problem = snapshot.foreignOwner(ofVariables: touched, request.component) {
            found.refusal = found.refusal ?? problem
        }
        let wanted = environment.applied(to: template)
        for object in environment.objects(neededBy: wanted) {
            switch objects[object.object] {
            case .missing: found.part = found.part ?? object.object.text
            case .found(let content): if !object.isSame(as: content) { found.refusal = found.refusal ?? object.taken(request.component) }
            case .unreadable(let problem): found.refusal = found.refusal ?? problem
            case nil: break
            }
        }
        return found
    }

    private func missing(_ what: String) -> Problem {
        Problem(
            "ReferenceGone",
            "kubernetes/\(request.component): the pod template of that revision needs \(what), and it does not exist any more in namespace "
                + "\(snapshot.target.namespace): its pods would hang",
            next: "make it again, or pin the image instead of the revision")
    }

    func accompaniment(of revision: WorkloadRevision) -> Accompaniment {
        accompaniment(of: revision.template, returning: returningNeeds(revision))
    }
}
