public import Model
public import YAMLReading

/// The text of a spec file, which may hold several documents, and how one value of it is changed.
///
/// Only the bytes of that value change: comments, order, quotes, indentation and line ends stay. After every edit the text is read again
/// and must mean what it meant before but for that value; otherwise the edit is refused.
public struct SpecText: Sendable, Hashable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The text after all the edits of that system's document, made one after another.
    public func applying(_ edits: [SpecEdit], to system: SystemID) throws(SpecEditError) -> SpecText {
        var text = self
        for edit in edits { text = try text.applying(edit, to: system) }
        return text
    }

    /// What stands at a path of that system's document; nil when nothing does.
    public func value(at path: [String], of system: SystemID) throws(SpecEditError) -> YAMLNode? {
        let documents = try documents()
        var node: YAMLNode? = documents[try Self.index(of: system, in: documents)]
        for key in path { node = node?[key] }
        return node
    }

    private func applying(_ edit: SpecEdit, to system: SystemID) throws(SpecEditError) -> SpecText {
        let before = try documents()
        let index = try Self.index(of: system, in: before)
        if Self.isThere(edit, in: before[index]) { return self }
        let outline: YAMLOutline
        do throws(YAMLProblem) { outline = try YAMLOutline(reading: bytes) } catch { throw Self.unreadable(error) }
        guard outline.documents.indices.contains(index) else {
            throw SpecEditError(.unreadable, at: before[index].mark, "the document's places cannot be told; edit the file by hand")
        }
        let place = EditPlace(edit, in: outline.documents[index], of: bytes)
        for candidate in try place.candidates() {
            let changed = candidate.applied(to: bytes)
            let stream = YAMLStream(reading: changed)
            guard stream.problems.isEmpty, stream.documents.count == before.count else { continue }
            let after = stream.documents
            let othersStay = before.indices.allSatisfy { $0 == index || before[$0].isWritten(like: after[$0]) }
            if othersStay, after[index].differs(from: before[index], onlyBy: edit.change, at: edit.path[...]) { return SpecText(changed) }
        }
        throw SpecEditError(
            .unchangeable, at: place.mark, "\(edit.place) cannot be changed here without changing something else; edit the file by hand")
    }

    private func documents() throws(SpecEditError) -> [YAMLNode] {
        let stream = YAMLStream(reading: bytes)
        if let problem = stream.problems.first { throw Self.unreadable(problem) }
        return stream.documents
    }

    private static func unreadable(_ problem: YAMLProblem) -> SpecEditError {
        SpecEditError(.unreadable, at: problem.mark, problem.message)
    }

    private static func index(of system: SystemID, in documents: [YAMLNode]) throws(SpecEditError) -> Int {
        let matches = documents.indices.filter { index in
            let document = documents[index]
            let metadata = document["metadata"]
            return document["kind"]?.string == "System" && metadata?["name"]?.string == system.name
                && (metadata?["namespace"]?.string ?? "default") == system.namespace
        }
        guard let first = matches.first else {
            throw SpecEditError(.system, at: YAMLMark(line: 1, column: 1), "the file does not hold the system \(system)")
        }
        guard matches.count == 1 else {
            throw SpecEditError(
                .system, at: documents[matches[1]].mark, "the file holds the system \(system) \(matches.count) times; take the others out")
        }
        return first
    }

    private static func isThere(_ edit: SpecEdit, in document: YAMLNode) -> Bool {
        var node: YAMLNode? = document
        for key in edit.path { node = node?[key] }
        guard case .set(let wanted) = edit.change else { return node == nil }
        guard let node else { return false }
        if case .text(let text) = wanted { return node.string == text && node.bool == nil }
        return node.value == wanted.meaning
    }
}
