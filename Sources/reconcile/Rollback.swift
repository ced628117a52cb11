import ControlLoop
import Model
import Planning
import ProviderKit
import Reporting
import Sources
import SpecEditing
import SpecLoading
import State

/// Finds what must be changed in a spec to go back.
struct Rollback: Sendable {
    let program: Program
    let system: System
    let recorded: RecordedState
    let source: PathSource
    let keepsConfiguration: Bool
    let form: OutputForm

    /// What changes for one component; nil after it has been told why nothing can.
    func items(of component: Component, to word: String) async throws(StateError) -> [SpecChange.Item]? {
        let choice: EarlierRelease? = word == "previous" ? .previous : word == "last-known-good" ? .lastKnownGood : nil
        guard let choice else { return try await items(of: component, pinned: Pin(word: word) ?? .name(word)) }
        switch choice.record(of: component, in: recorded) {
        case .success(let record):
            tellSchemas(component, record)
            return try await items(of: component, record)
        case .failure(let problem):
            program.refuse("\(system.id): \(problem)", form)
            return nil
        }
    }

    /// What changes to take the last change back: its components, and the schemas recorded with what they had before.
    func itemsOfTheLastChange() async throws(StateError) -> [SpecChange.Item]? {
        let earlier = EarlierRelease.beforeTheLastChange(of: system, in: recorded)
        guard !earlier.isEmpty else {
            program.refuse(
                "\(system.id): no earlier release of any component is recorded here; is this the state that it is reconciled with (--state)?",
                form)
            return nil
        }
        var items: [SpecChange.Item] = []
        for (component, record) in earlier {
            guard let own = try await self.items(of: component, record) else { return nil }
            items += own
        }
        for database in system.databases {
            let schemas = earlier.compactMap { component, record in record.schemas[database.name].map { (component.name, $0) } }
            guard let schema = schemas.first?.1 else {
                program.output.progress(
                    "note: no schema of \(database.name) is recorded with these releases; it stays at \(database.schema)\n")
                continue
            }
            guard schemas.allSatisfy({ $0.1 == schema }) else {
                let list = schemas.map { "\($0.0): \($0.1)" }.joined(separator: ", ")
                program.refuse(
                    "\(database.id): these releases were good with different schemas (\(list)); pin each by hand: reconcile pin database/\(database.name) …",
                    form)
                return nil
            }
            if schema != database.schema { items.append(.schema(of: database, schema)) }
        }
        return items
    }

    /// To a release that was named: with what was recorded of it, where it was recorded.
    private func items(of component: Component, pinned pin: Pin) async throws(StateError) -> [SpecChange.Item]? {
        let records = (recorded.releases[component.id] ?? []).filter { $0.resolution.holds(for: component.target) }
        let observation = try await program.reconciler.observe(component, of: system, recorded: recorded, depth: .history)
        var record = records.last { $0.resolution.pin == pin }
        if observation.live.problem == nil {
            switch resolve(pin, among: observation.candidates) {
            case .resolved(let identity, _):
                record = records.last { $0.resolution.identity == identity || $0.resolution.lineage.contains(identity) }
            case .ambiguous(let releases):
                program.refuse(
                    "\(component.name): \(pin) is the name of several releases: \(releases.map(\.label).joined(separator: ", ")); see reconcile history \(component.name)",
                    form)
                return nil
            case .missing:
                program.refuse(
                    "\(component.name): there is no release \(pin); there are: "
                        + observation.candidates.prefix(5).map(\.release.label).joined(separator: ", ")
                        + "; see reconcile history \(component.name)", form)
                return nil
            }
        }
        if let record { tellSchemas(component, record) }
        return [.release(of: component, pin)] + (await configuration(of: component, record))
    }

    private func items(of component: Component, _ record: ReleaseRecord) async throws(StateError) -> [SpecChange.Item]? {
        let observation = try await program.reconciler.observe(component, of: system, recorded: recorded, depth: .history)
        guard let pin = pin(for: record, of: component, observation) else { return nil }
        return [.release(of: component, pin)] + (await configuration(of: component, record))
    }

    /// How a recorded release is to be pinned: as it was, if that still means the same artifact; otherwise by the provider's own name of it.
    private func pin(for record: ReleaseRecord, of component: Component, _ observation: Observation) -> Pin? {
        let old = record.resolution
        if let problem = observation.live.problem {
            program.output.progress("note: whether \(component.name) \(old.label) is still there was not seen: \(problem)\n")
            return old.pin
        }
        func isMeant(_ pin: Pin) -> Bool {
            guard case .resolved(let identity, _) = resolve(pin, among: observation.candidates) else { return false }
            return old.identity == identity || old.lineage.contains(identity)
        }
        guard let candidate = observation.candidates.first(where: { $0.release.matches(old) && $0.gone == nil }) else {
            let why = observation.candidates.first { $0.release.matches(old) }?.gone.map { ": \($0.message)" } ?? ""
            program.refuse(
                "\(component.name): \(old.label) is gone at the provider\(why); choose another one of reconcile history \(component.name) with --to PIN",
                form)
            return nil
        }
        if candidate.routes.allSatisfy({ $0.refusal != nil }), let refusal = candidate.routes.first?.refusal {
            program.output.progress("note: \(component.name): the way to \(old.label) is refused as the spec stands: \(refusal)\n")
        }
        if isMeant(old.pin) { return old.pin }
        let names = candidate.release.names.sorted { $0.kind < $1.kind }
        guard let pin = names.map({ Pin.name($0.value) }).first(where: isMeant) else { return old.pin }
        program.output.progress("note: \(component.name): \(old.pin) means another release now; \(pin) is the one that ran\n")
        return pin
    }

    // MARK: - What belonged to the release

    /// The values of `env` as the spec had them, and the schemas that the release tolerates.
    private func configuration(of component: Component, _ record: ReleaseRecord?) async -> [SpecChange.Item] {
        guard let record else { return [] }
        let path = ["spec", "components", component.name]
        var items: [SpecChange.Item] = []
        for name in Set(component.requires.keys).union(record.requires.keys).sorted() {
            let (now, then) = (component.requires[name], record.requires[name])
            guard now != then else { continue }
            let change: SpecEdit.Change = then.map { .set(.text($0.written)) } ?? .remove
            items.append(
                SpecChange.Item(
                    "\(component.name): requires \(name)", from: now?.written, to: then?.written,
                    edits: [SpecEdit(path + ["requires", name], change)], isDetail: true))
        }
        guard !keepsConfiguration else { return items }
        guard let then = await sources(of: component, record) else { return items }
        let now = component.configuration.sources
        for key in Set(now.keys).union(then.keys).sorted() where now[key] != then[key] {
            let change: SpecEdit.Change = then[key].map { .set($0.edited(besides: origin)) } ?? .remove
            items.append(
                SpecChange.Item(
                    "\(component.name): env \(key)", from: now[key]?.words, to: then[key]?.words,
                    edits: [SpecEdit(path + ["env", key], change)], isDetail: true))
        }
        return items
    }

    /// What the spec said of the component's configuration when the release was pinned; nil, after a note, where that is not known.
    private func sources(of component: Component, _ record: ReleaseRecord) async -> [String: Configuration.Source]? {
        let revision = record.resolution.revision
        func unknown(_ why: String) -> [String: Configuration.Source]? {
            if !component.configuration.sources.isEmpty {
                program.output.progress("note: the env of \(component.name) stays as it is: \(why)\n")
            }
            return nil
        }
        guard revision.kind == .commit, !revision.isDirty else {
            return unknown("\(record.resolution.label) was not pinned by a commit, so that the spec of then is not known")
        }
        do throws(SourceError) {
            guard let file = try await source.file(origin, at: revision.id) else {
                return unknown("\(origin) of commit \(revision) is not in the history that is here")
            }
            let loaded = Program.loader.load([file])
            guard let old = loaded.systems.first(where: { $0.id == system.id })?.components.first(where: { $0.name == component.name })
            else {
                return unknown("commit \(revision) does not hold it in a form that can be read now")
            }
            return old.configuration.sources
        } catch {
            return unknown(error.message)
        }
    }

    /// A release alone does not take the schema along: that is said.
    private func tellSchemas(_ component: Component, _ record: ReleaseRecord) {
        for database in system.databases {
            guard let schema = record.schemas[database.name], schema != database.schema else { continue }
            program.output.progress(
                "note: \(component.name) \(record.resolution.label) was last good with \(database.name) at \(schema), and \(database.schema) is pinned; "
                    + "reconcile pin database/\(database.name) \(schema) takes it along\n")
        }
    }

    private var origin: String { Program.file(of: system) }
}

extension VersionWindow {
    /// As in a spec: `>=20240601_a <=20240611_b`.
    fileprivate var written: String {
        [lowest.map { ">=\($0)" }, highest.map { "<=\($0)" }].compactMap(\.self).joined(separator: " ")
    }
}

extension Configuration.Source {
    /// For people. A literal stands in the spec, so that it is no secret.
    fileprivate var words: String {
        switch self {
        case .literal(let text): text
        case .environment(let name): "fromEnv \(name)"
        case .file(let path): "fromFile \(path)"
        case .kubernetesSecret(_, let name, let key): "fromSecret \(name) \(key)"
        }
    }

    /// As it is written into a spec file: paths are relative to it.
    fileprivate func edited(besides file: String) -> EditedValue {
        switch self {
        case .literal(let text): return .text(text)
        case .environment(let name): return .mapping([.init("fromEnv", .text(name))])
        case .file(let path):
            let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
            return .mapping([.init("fromFile", .text(path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path))])
        case .kubernetesSecret(let namespace, let name, let key):
            let place = namespace.map { [EditedValue.Entry("namespace", .text($0))] } ?? []
            return .mapping([.init("fromSecret", .mapping(place + [.init("name", .text(name)), .init("key", .text(key))]))])
        }
    }
}
