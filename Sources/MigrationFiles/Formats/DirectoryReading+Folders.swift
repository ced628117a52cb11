/// diesel: a folder for each migration, with `up.sql`, `down.sql` and perhaps `metadata.toml`.
extension DirectoryReading {
    mutating func readFolders() {
        var folders: [String: [String: MigrationSource]] = [:]
        for source in sources {
            let file = FileName(source.path)
            if !file.folder.isEmpty, !file.folder.contains("/") {
                folders[file.folder, default: [:]][file.base] = source
            } else if file.base.hasSuffix(".sql"), file.looksLikeMigration || file.base == "up.sql" || file.base == "down.sql" {
                refuseName(file)
            }
        }
        for (folder, files) in folders.sorted(by: { $0.key < $1.key }) { addFolder(folder, files) }
    }

    private mutating func addFolder(_ folder: String, _ files: [String: MigrationSource]) {
        guard let up = files["up.sql"] else {
            if files["down.sql"] != nil || !folder.leadingDigits.isEmpty {
                mistakes.append(Mistake("MissingUp", path: folder, "there is no up.sql in this folder; write it, or remove the folder"))
            }
            return
        }
        guard let text = SourceText(up, &mistakes) else { return }
        if text.lines.allSatisfy({ $0.trimmed.isEmpty }) {
            mistakes.append(
                Mistake(
                    "EmptyUp", path: up.path,
                    "the file is empty, and the migration would count as applied; write it, or a comment if it shall do nothing"))
        }
        let down = files["down.sql"]
        let downText = down.flatMap { SourceText($0, &mistakes) }
        let isTransactional = files["metadata.toml"].flatMap { readMetadata($0) }
        let parts = folder.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        var remarks = [Remarks(text, dialect, &mistakes)]
        if let downText { remarks.append(Remarks(downText, dialect, &mistakes)) }
        drafts.append(
            MigrationDraft(
                stem: folder, number: parts[0].filter { $0 != "-" }, name: parts.count > 1 ? String(parts[1]) : "", path: up.path,
                downPath: down?.path, bytes: up.bytes, up: text.script(isTransactional), down: downText?.script(isTransactional),
                remarks: remarks))
    }

    private mutating func readMetadata(_ source: MigrationSource) -> Bool? {
        guard let text = SourceText(source, &mistakes) else { return nil }
        for (index, line) in text.lines.enumerated() {
            let sides = line.prefix { $0 != "#" }.split(separator: "=", maxSplits: 1).map(\.trimmed)
            guard sides.first == "run_in_transaction" else { continue }
            switch sides.last {
            case "true": return true
            case "false": return false
            default:
                mistakes.append(text.mistake("InvalidSetting", line: index, "run_in_transaction is true or false"))
            }
        }
        return nil
    }
}
