/// The documents of a text and everything that is wrong with it.
public struct YAMLStream: Sendable {
    /// Up to the first place that could not be read. Of keys that stand twice the first counts; unusable keys are left out.
    public var documents: [YAMLNode]
    /// In the order of the text.
    public var problems: [YAMLProblem]

    /// Reads UTF-8, with or without a byte order mark. Costs about 70 KB of working memory besides the result.
    public init(reading bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) {
        documents = []
        problems = []
        let start = YAMLMark(line: 1, column: 1)
        guard bytes.count <= limits.bytes else {
            problems = [YAMLProblem(.limit, at: start, "the text has \(bytes.count) bytes; at most \(limits.bytes) are read")]
            return
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            problems = [YAMLProblem(.syntax, at: start, "the text is UTF-16; save it as UTF-8")]
            return
        }
        bytes.withUnsafeBufferPointer { buffer in
            var builder = YAMLTreeBuilder(EventReader(buffer), limits: limits)
            do throws(YAMLProblem) { try builder.readDocuments() } catch { builder.problems.append(error) }
            documents = builder.documents
            problems = builder.problems
        }
        problems.sort { $0.mark < $1.mark }
    }
}

extension YAMLNode {
    /// Reads a text that holds one document; throws the first problem of any other.
    public init(reading bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) throws(YAMLProblem) {
        let stream = YAMLStream(reading: bytes, limits: limits)
        if let problem = stream.problems.first { throw problem }
        guard let document = stream.documents.first else {
            throw YAMLProblem(.documentCount, at: YAMLMark(line: 1, column: 1), "the text is empty")
        }
        if stream.documents.count > 1 {
            throw YAMLProblem(.documentCount, at: stream.documents[1].mark, "a second document; one was expected")
        }
        self = document
    }
}
