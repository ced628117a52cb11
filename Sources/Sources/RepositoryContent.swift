public import Model

/// What was read of a repository of migrations.
public struct RepositoryContent: Sendable {
    public var reading: MigrationRepository.Reading
    /// Tells what the directory holds, whatever the commit.
    public var identity: String
    /// Absolute; empty where nothing could be read.
    public var directory: String
    /// What the user should know about it.
    public var notes: [String]
    /// Keeps the directory for as long as this is kept.
    let checkout: Checkout?

    /// - Parameter snapshot: of a source without specs, whose one path is that of the repository.
    public init(_ snapshot: Snapshot, of repository: MigrationRepository) {
        reading = .commit(snapshot.revision.id, trouble: snapshot.trouble?.message)
        identity = snapshot.beside[""] ?? snapshot.revision.id
        let path = repository.path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        directory = (snapshot.checkout?.path ?? "") + (path.isEmpty ? "" : "/\(path)")
        notes = snapshot.notes
        checkout = snapshot.checkout
    }

    public init(_ problem: Problem) {
        reading = .failed(problem)
        identity = "unread"
        directory = ""
        notes = []
        checkout = nil
    }
}

extension Snapshot {
    /// The system with the directories that its repositories of migrations were checked out to, which stay for as long as this snapshot is kept.
    public func completed(_ system: System) -> System {
        guard !repositories.isEmpty else { return system }
        var system = system
        for (index, database) in system.databases.enumerated() {
            guard let repository = database.migrations.git, let content = repositories[repository.unread] else { continue }
            system.databases[index].migrations.git?.reading = content.reading
            system.databases[index].migrations.path = content.directory
        }
        return system
    }

    /// True if both hold the same migrations for a system, of whatever commit.
    public func holds(_ repositories: Set<MigrationRepository>, as other: Snapshot) -> Bool {
        repositories.allSatisfy { self.repositories[$0]?.identity == other.repositories[$0]?.identity }
    }

    /// True if both tell the same of some repositories: their commits, and whether they are the newest.
    public func tells(_ repositories: Set<MigrationRepository>, as other: Snapshot) -> Bool {
        repositories.allSatisfy { self.repositories[$0]?.reading == other.repositories[$0]?.reading }
    }
}
