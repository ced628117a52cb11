extension System {
    /// The files and directories that are read beside the spec, sorted: migrations, and values that stand in files. What is written to as well
    /// (a SQLite database, an environment file) is not among them, and neither is what stands in repositories of its own.
    public var filesRead: [String] {
        var found: Set<String> = []
        func read(_ source: Configuration.Source?) {
            if case .file(let path)? = source { found.insert(path) }
        }
        for component in components { component.configuration.sources.values.forEach(read) }
        for database in databases {
            if database.migrations.git == nil { found.insert(database.migrations.path) }
            if case .postgres(let url, let direct) = database.connection {
                read(url)
                read(direct)
            }
        }
        found.remove("")
        return found.sorted()
    }

    /// The repositories that migrations are read from, each once, as nobody has looked at them.
    public var repositoriesRead: Set<MigrationRepository> { Set(databases.compactMap { $0.migrations.git?.unread }) }
}
