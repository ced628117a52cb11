import ArgumentParser
import Model
import Planning
import Sources
import SpecEditing

struct PinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Pins another release or schema in the spec file, and changes nothing else of it.",
        discussion: """
            Only the bytes of the pin change: comments, order and quotes stay. Nothing is done to
            what runs; that is what reconcile --once, or the operator, does with the new pin.

              reconcile pin web dpl_7HxQ2m -f system.yaml
              reconcile pin api commit=3f2c1ab -f system.yaml      a commit, not a name
              reconcile pin database/main 20240611_add_index -f system.yaml
              reconcile pin web v41 -f specs --commit --push --reason "v42 loses carts"

            VALUE is a name as in the spec, or says what it is: commit=, image=, revision= or
            deployment=. For a database it is a migration, by its name or a number that only it
            has, or none. For flags: reconcile flag.

            Exit codes: 0 pinned, or pinned so already; 1 refused, the file is as it was; 3 the
            tree is dirty or the remote moved; 64 usage.
            """)

    @Argument(help: "The component or database: web, component/web, database/main.")
    var resource: String

    @Argument(help: "The release or the migration.")
    var value: String

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "Change") var change: ChangeOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        _ = try specs.required()
        if resource.hasPrefix("flag/") { throw ValidationError("A flag is set with reconcile flag \(resource.dropFirst(5)) on|off.") }
        if value.isEmpty { throw ValidationError("VALUE is empty; to see what could be pinned: reconcile history \(resource) -f …") }
        if Pin(word: value) == nil {
            throw ValidationError("\(value): commit= takes 7 to 64 hexadecimal digits, revision= a number from 1.")
        }
    }

    func run() async throws {
        let program = Program()
        throw ExitCode(await program.untilInterrupted { await pin(program) }, program.output)
    }

    private func pin(_ program: Program) async -> Verdict {
        guard let (_, snapshot, systems) = await program.systems(specs, output.form),
            let (system, found) = program.resource(resource, in: systems, output.form)
        else { return .failure }
        let item: SpecChange.Item
        switch found {
        case .component(let component):
            guard let pin = Pin(word: value) else { return .failure }
            item = .release(of: component, pin)
        case .database(let database):
            guard let version = program.version(value, of: database, output.form) else { return .failure }
            item = .schema(of: database, version)
        }
        let change = SpecChange(items: [item], reason: change.reason)
        switch await program.change(system, in: snapshot, by: change, self.change, output.form) {
        case .success(let result):
            program.show(result, output.form)
            return result.verdict
        case .failure(let refusal): return refusal.verdict
        }
    }
}

extension Pin {
    /// A pin as it is written on a command line: `v41`, `commit=3f2c1ab`, `revision=12`; nil where the kind does not fit.
    init?(word: String) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else {
            self = .name(word)
            return
        }
        let value = String(parts[1])
        switch parts[0] {
        case "commit":
            guard (7...64).contains(value.utf8.count), value.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
            self = .commit(value)
        case "image": self = .image(value)
        case "deployment": self = .deployment(value)
        case "revision":
            guard let number = Int(value), number > 0 else { return nil }
            self = .revision(number)
        default: self = .name(word)
        }
    }

    /// Its kind as a key in a spec, and its value; no kind for a name.
    fileprivate var written: (kind: String?, value: EditedValue) {
        switch self {
        case .name(let name): (nil, .text(name))
        case .commit(let commit): ("commit", .text(commit))
        case .image(let image): ("image", .text(image))
        case .revision(let revision): ("revision", .integer(revision))
        case .deployment(let deployment): ("deployment", .text(deployment))
        }
    }
}

extension SpecChange.Item {
    /// Another release of a component. A pin of the same kind keeps its form.
    static func release(of component: Component, _ pin: Pin) -> SpecChange.Item {
        let path = ["spec", "components", component.name, "release"]
        let written = pin.written
        let edit =
            if let kind = written.kind {
                component.release.written.kind == kind
                    ? SpecEdit(path + [kind], .set(written.value)) : SpecEdit(path, .set(.mapping([.init(kind, written.value)])))
            } else {
                SpecEdit(path, .set(written.value))
            }
        return SpecChange.Item(component.name, from: component.release.description, to: pin.description, edits: [edit])
    }

    /// Another schema of a database.
    static func schema(of database: Database, _ version: String) -> SpecChange.Item {
        let edit = SpecEdit.set("spec", "databases", database.name, "schema", to: .text(version))
        return SpecChange.Item("database \(database.name)", from: database.schema, to: version, edits: [edit])
    }
}
