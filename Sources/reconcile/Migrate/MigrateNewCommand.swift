import ArgumentParser
import ControlLoop
import FoundationEssentials
import JSONValues
import MigrationFiles
import Model
import Planning
import Reporting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct MigrateNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Writes the file of a new migration, in the directory's own format and with the next number.",
        discussion: """
            A directory that is still empty gets the format that migrations.format names, or
            dbmate's. Nothing that is there is overwritten, and the pin stays: pin it with
            reconcile migrate up when it is written.
            """)

    @Argument(help: "Letters, digits, _ and -: add_index.")
    var name: String

    @OptionGroup var options: DatabaseOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() async throws {
        let program = Program()
        throw ExitCode(await program.untilInterrupted { await write(program) }, program.output)
    }

    private func write(_ program: Program) async -> Verdict {
        guard let chosen = await ChosenDatabase(options, program, output.form) else { return .failure }
        let settings = chosen.database.migrations
        if let repository = settings.git {
            program.refuse(
                "\(chosen.database.id): its migrations are in the repository \(repository.name); write the file in a clone of it, and push it",
                output.form)
            return .failure
        }
        do throws(MigrationFileErrors) {
            let directory = try Self.directory(of: chosen.database)
            let time = String(program.reconciler.now().wholeSecond.description.filter(\.isNumber).prefix(14))
            var written: [String] = []
            for file in try directory.newMigration(named: name, timestamp: time) {
                let path = settings.path.hasSuffix("/") ? settings.path + file.path : "\(settings.path)/\(file.path)"
                if let problem = Self.make(path, file.text) {
                    program.refuse(problem, output.form)
                    return .failure
                }
                written.append(path)
            }
            switch output.form {
            case .text: for path in written { program.output.result("\(path)\n") }
            case .markdown: for path in written { program.output.result("- `\(path)`\n") }
            case .json:
                program.output.result([
                    "apiVersion": "belay.dev/v1alpha1", "kind": "NewMigration", "database": .string(chosen.database.name),
                    "format": .string(directory.format.rawValue), "files": .array(written.map(JSON.string)),
                ])
            }
            return .inSync
        } catch {
            program.refuse(
                error.mistakes.map { "\(chosen.database.id): \($0.line(under: settings.path))" }.joined(separator: "\n"), output.form)
            return .failure
        }
    }

    /// The directory as it is; an empty one where it is still to be made.
    private static func directory(of database: Database) throws(MigrationFileErrors) -> MigrationDirectory {
        let format = database.migrations.format.flatMap(MigrationFormat.init)
        guard FileManager.default.fileExists(atPath: database.migrations.path) else { return .empty(format ?? .dbmate) }
        let sources = try MigrationSource.all(under: database.migrations.path)
        guard sources.contains(where: { $0.path.hasSuffix(".sql") }) else { return .empty(format ?? .dbmate) }
        return try MigrationDirectory(of: database)
    }

    /// Makes a file that must not be there yet. Returns why it could not.
    private static func make(_ path: String, _ text: String) -> String? {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        do {
            try FileManager.default.createDirectory(atPath: folder.isEmpty ? "/" : folder, withIntermediateDirectories: true)
        } catch {
            return "\(folder): the directory cannot be made; check the permissions"
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return "\(path): cannot be made: \(String(cString: strerror(errno)))" }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
            return "\(path): cannot be written: \(String(cString: strerror(errno)))"
        }
        return nil
    }
}

extension MigrationFileErrors.Mistake {
    /// `db/migrations/1_a.sql:3:1: what is wrong`.
    func line(under directory: String) -> String {
        // What is wrong with the directory itself names it already.
        if path.isEmpty, message.hasPrefix(directory) { return message }
        let place = [path.isEmpty ? directory : "\(directory)/\(path)", line.map(String.init), column.map(String.init)]
        return place.compactMap(\.self).joined(separator: ":") + ": \(message)"
    }
}
