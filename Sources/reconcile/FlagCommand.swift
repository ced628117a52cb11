import ArgumentParser
import ControlLoop
import JSONValues
import Model
import Planning
import Reporting
import Sources
import SpecFields
import State

struct FlagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flag",
        abstract: "Switches a feature flag on or off in the spec file, or kills it at once.",
        discussion: """
            Without VALUE it shows how the flag is pinned and what its store says; without
            a name, all flags.

              reconcile flag -f system.yaml
              reconcile flag new_player on -f system.yaml
              reconcile flag ai_summaries on --rollout 25 -f system.yaml
              reconcile flag banner blue -f system.yaml            a variant
              reconcile flag new_player kill --reason "melts" -f system.yaml

            on, off and a variant change the pin in the spec file; reconcile --once, or the
            operator, does the rest. With --now the store is set at once as well. What
            VALUE does not speak of stays: on keeps the rollout and the variant of the
            spec; --rollout 100 is everybody.

            kill acts at once: it sets the store under the system's lock, records who did
            it and why, and writes kill: true into the spec. It goes through also where the
            spec cannot be written or pushed, or refers elsewhere to what is not there;
            then it says what to commit. A killed flag
            stays off until a commit says kill: false, or somebody says on.

            Exit codes: 0 done; 1 the store or the spec could not be changed; 3 somebody
            else works on the system, the flag's guard does not hold, the tree is dirty;
            64 usage.
            """)

    @Argument(help: "The flag's name in the spec.", completion: .custom(FlagNames.complete))
    var flag: String?

    @Argument(help: "on, off, kill, or the variant that is to be served.")
    var value: FlagWord?

    @Option(help: ArgumentHelp("For how many percent of the users, from 0 to 100.", valueName: "percent"))
    var rollout: Int?

    @Flag(help: "Set the store at once, and not only the spec. kill always does.")
    var now = false

    @Flag(help: "Kill even where the state can be neither locked nor written; nothing is recorded then. Needs --reason.")
    var breakGlass = false

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Change") var change: ChangeOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        _ = try specs.required()
        if let rollout {
            guard (0...100).contains(rollout) else { throw ValidationError("--rollout is a number of percent from 0 to 100.") }
            switch value {
            case .on, .variant: break
            case .off, .kill, nil: throw ValidationError("--rollout goes with on or a variant.")
            }
        }
        if case .variant(let name) = value, !FlagWord.isName(name) {
            throw ValidationError("VALUE is on, off, kill, or the name of a variant, which has no blanks: \(name)")
        }
        if value == nil, now || breakGlass || change.commit || change.dryRun || change.reason != nil {
            throw ValidationError("Say what the flag is to be: on, off, kill, or a variant.")
        }
        if breakGlass {
            guard value == .kill else { throw ValidationError("--break-glass goes with kill: only off is safe without the lock.") }
            guard change.reason != nil else { throw ValidationError("--break-glass needs a --reason.") }
        }
        if change.dryRun, now || value == .kill {
            throw ValidationError("--dry-run shows a change of the spec; what acts at once has none.")
        }
    }

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw ExitCode(await program.untilInterrupted { await answer(program) }, program.output)
    }

    private func answer(_ program: Program) async -> Verdict {
        let found: (Snapshot, [System])?
        if value == .kill, let flag {
            found = await program.systems(specs, toKill: flag, output.form)
        } else {
            found = await program.systems(specs, output.form, readsMigrations: false).map { ($0.snapshot, $0.systems) }
        }
        guard let (snapshot, systems) = found else { return .failure }
        guard let flag, let value else { return await show(systems, snapshot, program) }
        guard let (system, found) = program.flag(flag, in: systems, output.form) else { return .failure }
        let clears = value.switchesOn ? await isKilledByHand(found, of: system, program) : false
        let new = value.applied(to: found, rollout: rollout, clears: clears)
        var outcome = FlagOutcome(system: system.id, flag: found, new: new, word: value)
        if now || value == .kill {
            let holder = LockHolder.current(command: "reconcile flag", environment: program.variables, since: program.reconciler.now())
            outcome.report = await program.reconciler.set(
                FlagOrder(
                    name: found.name, setting: value.switchesOn ? new.setting : .off, isKill: value == .kill, reason: change.reason,
                    pinned: new, breaksGlass: breakGlass, holder: holder), of: system, revision: snapshot.revision)
            // What may not go on now is not pinned either: the guard would hold it off.
            if value.switchesOn, outcome.report?.verdict != .inSync { return program.show(outcome, output.form) }
        }
        let item = SpecChange.Item("flag \(found.name)", from: found.pinText, to: new.pinText, edits: found.edits(to: new))
        if !item.edits.isEmpty {
            outcome.change = await program.change(
                system, in: snapshot, by: SpecChange(items: [item], reason: change.reason), change, isTold: false, output.form)
        }
        return program.show(outcome, output.form)
    }

    /// True where the spec's pin is not enough to switch the flag on: then it must speak of the kill. What cannot be read is asked by `--now`.
    private func isKilledByHand(_ flag: FeatureFlag, of system: System, _ program: Program) async -> Bool {
        // It is pinned on already: whoever says on can only mean that.
        if flag.setting.isOn, rollout == nil, value == .on { return true }
        guard let recorded = try? await program.reconciler.store(system).load(), let record = recorded.flags[flag.name] else {
            return false
        }
        return recorded.drifts[flag.id] != nil || record.reason != nil && !record.setting.isOn
    }

    // MARK: - Showing

    private func show(_ systems: [System], _ snapshot: Snapshot, _ program: Program) async -> Verdict {
        var chosen = systems.filter { $0.flags != nil }
        if let flag {
            guard let (system, _) = program.flag(flag, in: systems, output.form) else { return .failure }
            chosen = [system]
        }
        guard !chosen.isEmpty else {
            program.refuse("the specs pin no flags; they go under spec.flags", output.form)
            return .failure
        }
        var verdict = Verdict.inSync
        var items: [FlagStatus] = []
        for system in chosen {
            do throws(StateError) {
                let plan = try await program.reconciler.survey(system, revision: snapshot.revision).plan
                guard var status = FlagStatus(system, plan) else { continue }
                if let flag { status.standings = status.standings.filter { $0.name == flag } }
                if !status.isKnown { verdict = .failure }
                items.append(status)
            } catch {
                program.output.error("\(system.id): \(error)")
                verdict = .failure
            }
        }
        switch output.form {
        case .text: for status in items { program.output.result(status.text(program.output.style)) }
        case .markdown: for status in items { program.output.result(status.markdown) }
        case .json: program.output.result(.list("FlagList", items.flatMap { $0.json.elements }))
        }
        return verdict
    }
}

extension FlagWord {
    /// True if somebody is to be served it.
    var switchesOn: Bool {
        switch self {
        case .on, .variant: true
        case .off, .kill: false
        }
    }
}

extension Program {
    /// The flag of that name: `new_player` or `flag/new_player`. Nil after it has been told why there is not one.
    fileprivate func flag(_ name: String, in systems: [System], _ form: OutputForm) -> (System, FeatureFlag)? {
        let plain = name.hasPrefix("flag/") ? String(name.dropFirst(5)) : name
        let all = systems.flatMap { system in (system.flags?.flags ?? []).map { (system, $0) } }
        let found = all.filter { $0.1.name == plain }
        if found.count == 1 { return found[0] }
        guard !found.isEmpty else {
            let names = all.map(\.1.name).sorted()
            refuse(
                all.isEmpty
                    ? "the specs pin no flags; they go under spec.flags"
                    : "no flag is named \(plain)\(NearestName.hint(for: plain, among: names)); there are: \(names.joined(separator: ", "))",
                form)
            return nil
        }
        let owners = found.map(\.0.id.description).sorted().joined(separator: ", ")
        refuse("\(found.count) systems have a flag \(plain) (\(owners)); choose one with --system", form)
        return nil
    }
}
