import JSONValues
import MigrationFiles
import Model
import Reporting
import SQLParsing
import SpecFields

/// A component or a database that was named on the command line.
enum NamedResource: Sendable {
    case component(Component)
    case database(Database)
}

extension Program {
    /// The component or database of that name: `web`, `component/web`, `database/main`. Nil after it has been told why there is not one.
    func resource(_ name: String, in systems: [System], _ form: OutputForm) -> (System, NamedResource)? {
        let kind = ResourceID(name)?.kind
        let plain = ResourceID(name)?.name ?? name
        var found: [(System, NamedResource)] = []
        for system in systems {
            if kind != .database { found += system.components.filter { $0.name == plain }.map { (system, .component($0)) } }
            if kind != .component { found += system.databases.filter { $0.name == plain }.map { (system, .database($0)) } }
        }
        if found.count == 1 { return found[0] }
        let all = systems.flatMap { system in (system.components.map(\.id) + system.databases.map(\.id)).map { "\($0) (\(system.id))" } }
        guard !found.isEmpty else {
            let names = systems.flatMap { $0.components.map(\.name) + $0.databases.map(\.name) }
            refuse(
                "no component or database is named \(name)\(NearestName.hint(for: plain, among: names)); there are: \(all.sorted().joined(separator: ", "))",
                form)
            return nil
        }
        let owners = Set(found.map(\.0.id)).sorted().map(\.description)
        refuse(
            owners.count > 1
                ? "\(owners.count) systems have something named \(name) (\(owners.joined(separator: ", "))); choose one with --system"
                : "\(name) is a component and a database; write component/\(plain) or database/\(plain)", form)
        return nil
    }

    /// The database of that name, or the only one. Nil after it has been told why there is not one.
    func database(_ name: String?, in systems: [System], _ form: OutputForm) -> (System, Database)? {
        do throws(Problem) { return try Self.database(name, in: systems) } catch {
            refuse(error.message + (error.next.map { "; \($0)" } ?? ""), form)
            return nil
        }
    }

    /// The one database that is meant. Nil as a name stands for the only one.
    static func database(_ name: String?, in systems: [System]) throws(Problem) -> (System, Database) {
        let all = systems.flatMap { system in system.databases.map { (system, $0) } }
        let found = name.map { name in all.filter { $0.1.name == name || $0.1.id.description == name } } ?? all
        if found.count == 1 { return found[0] }
        if all.isEmpty { throw Problem("NoDatabase", "the specs name no database", next: "they go under spec.databases") }
        func list(_ databases: [(System, Database)]) -> String {
            databases.map { "\($0.1.name) (\($0.0.id))" }.sorted().joined(separator: ", ")
        }
        if found.isEmpty, let name {
            let hint = NearestName.hint(for: name, among: all.map(\.1.name))
            throw Problem("NoDatabase", "no database is named \(name)\(hint)", next: "there are: \(list(all))")
        }
        throw Problem(
            "DatabaseAmbiguous", "there are \(found.count) databases: \(list(found))", next: "choose one with --database or --system")
    }

    /// What is wrong with a database's pin, as far as its directory tells; nil where nothing is, and where the directory cannot be read.
    func remark(onPinOf database: Database) -> String? {
        guard database.schema != Database.emptySchema, let directory = try? MigrationDirectory(of: database) else { return nil }
        do throws(PinError) { _ = try directory.resolve(database.schema) } catch { return "\(database.id): \(error.message)" }
        return nil
    }

    /// The pin that means that migration: its full name. Nil after it has been told that there is none.
    ///
    /// What cannot be read now is not held against a pin: then it stands as it was written, and a note says so.
    func version(_ text: String, of database: Database, _ form: OutputForm) -> String? {
        if text == Database.emptySchema { return text }
        let directory: MigrationDirectory
        do throws(MigrationFileErrors) {
            directory = try MigrationDirectory(of: database)
        } catch {
            let first = error.mistakes.first?.message ?? "unreadable"
            output.progress(
                "note: whether \(database.name) has a migration \(text) was not looked at, as its directory cannot be read: \(first)\n")
            return text
        }
        do throws(PinError) {
            return try directory.resolve(text).stem
        } catch {
            refuse("\(database.id): \(error.message)", form)
            return nil
        }
    }

    /// Tells an error, as a list too where JSON is asked for.
    func refuse(_ message: String, _ form: OutputForm) {
        tell([message], form)
    }
}

extension MigrationDirectory {
    /// The migrations of a database, as its spec says how they are written.
    init(of database: Database) throws(MigrationFileErrors) {
        if let problem = database.migrationsProblem {
            throw MigrationFileErrors([.init(problem.reason, problem.description)])
        }
        let dialect: SQLDialect = if case .sqlite = database.connection { .sqlite } else { .postgres }
        try self.init(
            reading: try MigrationSource.all(under: database.migrations.path),
            format: database.migrations.format.flatMap(MigrationFormat.init), order: database.migrations.order.flatMap(MigrationOrder.init),
            dialect: dialect)
    }
}
