import ControlLoop
import Model
import Sources
import SpecFields
import SpecLoading

extension Program {
    /// The systems of a kill: a reference to what is not there, in what a kill does not need, is told and stops nothing. A system with any
    /// other mistake is not read at all.
    ///
    /// Nil after every reason against it has been told, with what is left to do by hand.
    func systems(_ specs: SpecOptions, toKill flag: String, _ form: OutputForm) async -> (Snapshot, [System])? {
        let found: (source: PathSource, snapshot: Snapshot, loaded: LoadResult)
        do throws(SourceError) {
            found = try await load(specs.files)
        } catch {
            refuse(error.message, form)
            return nil
        }
        let diagnostics = found.loaded.diagnostics
        let plain = flag.hasPrefix("flag/") ? String(flag.dropFirst(5)) : flag
        let systems = found.loaded.systems.filter { system in
            specs.names(system.id) && system.flags?.flags.contains { $0.name == plain } == true
        }
        guard !diagnostics.isEmpty, !systems.isEmpty, !diagnostics.contains(where: { $0.isInTheWay(ofKilling: plain, in: systems) }) else {
            let answer = await self.systems(specs, form, readsMigrations: false).map { ($0.snapshot, $0.systems) }
            if answer == nil, !diagnostics.isEmpty {
                let place = systems.first?.flags?.store.place ?? "its store"
                output.progress(
                    "to kill \(plain) before that is mended, switch it off in \(place) by hand: Belay leaves what somebody switched off as "
                        + "it is\n")
            }
            return answer
        }
        for diagnostic in diagnostics { output.progress("\(diagnostic)\n") }
        let count = diagnostics.count == 1 ? "one mistake" : "\(diagnostics.count) mistakes"
        output.progress("note: \(count) in the specs, none of which is in the way of a kill\n")
        return (found.snapshot, systems)
    }
}

extension Diagnostic {
    /// True unless it is certain that state, store and pin of the flag were read as they are meant.
    fileprivate func isInTheWay(ofKilling flag: String, in systems: [System]) -> Bool {
        func isUnder(_ place: String) -> Bool { path == place || path.hasPrefix(place + ".") || path.hasPrefix(place + "[") }
        if ["spec.components", "spec.verify", "spec.approve"].contains(where: isUnder) { return false }
        if path.hasPrefix("spec.flags.values."), !isUnder("spec.flags.values.\(flag)") { return false }
        // Of a database only its address could matter.
        return !systems.contains { system in
            system.databases.contains { database in
                ["schema", "migrations", "verify", "downtime"].contains { isUnder("spec.databases.\(database.name).\($0)") }
            }
        }
    }
}
