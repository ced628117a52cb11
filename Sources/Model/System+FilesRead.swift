extension System {
    /// The files and directories that are read beside the spec, sorted: migrations, and values that stand in files. What is written to as well
    /// (a SQLite database, an environment file) is not among them.
    public var filesRead: [String] {
        var found: Set<String> = []
        func read(_ source: Configuration.Source?) {
            if case .file(let path)? = source { found.insert(path) }
        }
        for component in components { component.configuration.sources.values.forEach(read) }
        for database in databases {
            found.insert(database.migrations.path)
            if case .postgres(let url, let direct) = database.connection {
                read(url)
                read(direct)
            }
        }
        found.remove("")
        return found.sorted()
    }
}
