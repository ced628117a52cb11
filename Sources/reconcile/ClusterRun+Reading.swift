import ClusterSource
import ClusterStatus
import ControlLoop
import GitMigrations
import Model
import Sources

extension ClusterRun {
    /// The systems of the objects that load, as they are now. What does not load stops no other: it is told, to the reporter too where there is
    /// one. What is being deleted is not among them. Nil after it has been told why there is none.
    func read(
        _ specs: SpecOptions, _ form: OutputForm, readsMigrations: Bool = true, telling reporter: ClusterReporter? = nil
    ) async -> ReadSystems? {
        let source: any SpecSource =
            readsMigrations
            ? SourceWithMigrations(self.source, program.repositories, watches: false) { snapshot in
                let loading = loading(snapshot, specs)
                return loading.mistakes.isEmpty ? loading.systems : []
            } : self.source
        let holding: Holding
        do throws(SourceError) {
            holding = try await source.holding()
        } catch {
            program.refuse(error.message, form)
            return nil
        }
        for trouble in holding.troubles { program.output.progress("note: \(trouble.message)\n") }
        var read = ReadSystems(source: source, systems: [], isWhole: holding.troubles.allSatisfy { $0.code == .gitFailed })
        let contests = contests(among: holding.parts)
        for part in holding.parts {
            guard case .success(let snapshot) = part.result, part.system.map(specs.names) ?? true else { continue }
            guard snapshot.leaving == nil else {
                program.output.progress("note: \(part.origin) is being deleted\n")
                continue
            }
            var loading = loading(snapshot, specs)
            loading.mistakes += loading.systems.flatMap { contests[$0.id] ?? [] }
            if loading.mistakes.isEmpty { read.systems += loading.systems.map { ($0, snapshot) } }
            guard !loading.mistakes.isEmpty else {
                reporter?.take(.loaded(snapshot.revision, loading.systems.map(\.id), notes: snapshot.notes + loading.notes))
                continue
            }
            read.isWhole = false
            reporter?.take(.rejected(snapshot.revision, mistakes: loading.mistakes, watched: [], origin: part.origin))
            program.output.error("\(part.origin): \(snapshot.revision) does not load")
            for mistake in loading.mistakes { program.output.progress("  \(mistake)\n") }
        }
        if read.systems.isEmpty, read.isWhole {
            program.refuse(specs.system.map { "there is no System named \($0)" } ?? "there are no System objects", form)
            return nil
        }
        program.tellPassedOverState(of: read.systems.map(\.system))
        return read
    }

    /// What objects claim that others claim too, whichever were asked for. One that is being deleted claims nothing.
    private func contests(among parts: [Holding.Part]) -> [SystemID: [String]] {
        let systems = parts.flatMap { part -> [System] in
            guard case .success(let snapshot) = part.result, snapshot.leaving == nil else { return [] }
            let loading = self.specs.loading(snapshot)
            return loading.mistakes.isEmpty ? loading.systems : []
        }
        return ControlLoop.contests(among: systems)
    }
}
