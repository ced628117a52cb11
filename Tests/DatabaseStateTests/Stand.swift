import DatabaseServers
import FoundationEssentials
import Model
import SQL
import State
import StateContract
import Testing

@testable import DatabaseState

/// A directory of its own, removed with the last reference.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/belay-dbstate-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // A folder that stays is no failure of a test.
}

/// An empty database for the state of systems.
struct Stand: Sendable {
    var database: Database
    var url = ""
    /// Of the database on the server.
    var name = ""
    private var folder: Folder?

    static func sqlite() throws -> Stand {
        let folder = try Folder()
        var stand = Stand(database: Database(name: "main", connection: .sqlite(folder.path + "/state.db"), schema: "none"))
        stand.folder = folder
        return stand
    }

    static func postgres() async throws -> Stand {
        let name = try await PostgresServer.shared.makeDatabase()
        return Stand(at: try await PostgresServer.shared.url(of: name), name)
    }

    static func pooled() async throws -> Stand {
        let name = try await PostgresServer.shared.makeDatabase()
        return Stand(at: try await PostgresServer.shared.pooledURL(of: name), name)
    }

    init(at url: String, _ name: String = "") {
        self.init(
            database: Database(name: "main", connection: .postgres(url: .environment("URL"), direct: nil), schema: "none"), url: url,
            name: name)
    }

    private init(database: Database, url: String = "", name: String = "") {
        self.database = database
        self.url = url
        self.name = name
    }

    var path: String {
        guard case .sqlite(let path) = database.connection else { return "" }
        return path
    }

    func store(
        _ system: String = "shop", lease: Duration = .seconds(30),
        decorate: (@Sendable (any SQLConnection) -> any SQLConnection)? = nil
    ) -> DatabaseStateStore {
        let url = url
        var store = DatabaseStateStore(SystemID(name: system), in: database, lease: lease) { _ in .success(Secret(url)) }
        store.database.decorate = decorate
        return store
    }

    func world(lease: Duration = .milliseconds(1200)) -> StateWorld {
        StateWorld(lease: lease, expires: true) { store($0, lease: lease) }
    }

    /// Asks the database itself.
    func ask(_ sql: String) async throws -> String? {
        let connection: any SQLConnection =
            path.isEmpty
            ? try await PostgresConnection(PostgresAddress(try await PostgresServer.shared.url(of: name)))
            : try await SQLiteConnection(path, mode: .create)
        let answer = try await connection.query(sql).scalar
        await connection.close()
        return answer
    }
}
