import SpecFields
import YAMLReading

/// Reads a sandbox's files.
enum SandboxDocument {
    static let apiVersion = "sandbox.belay.dev/v1alpha1"

    /// Reads a text that holds one document of that type.
    ///
    /// - Parameter check: looks at what was read, and reports what is wrong with it.
    /// - Throws: every mistake of the text, one `file:line:column: message` a line.
    static func read<Value: SpecObject>(
        _ type: Value.Type, _ bytes: [UInt8], file: String, check: (Value, YAMLNode, SpecReading) -> Void = { _, _, _ in }
    ) throws(SandboxError) -> Value {
        let stream = YAMLStream(reading: bytes)
        let reading = SpecReading(file: file)
        var value: Value?
        if let document = stream.documents.first {
            value = Value.read(document, reading)
            if let value { check(value, document, reading) }
        } else if stream.problems.isEmpty {
            reading.report("is empty", at: YAMLMark(line: 1, column: 1))
        }
        if stream.documents.count > 1 { reading.report("a second document; one was expected", at: stream.documents[1].mark) }
        let diagnostics = stream.problems.map { Diagnostic(file: file, at: $0.mark, message: $0.message) } + reading.diagnostics
        guard let value, diagnostics.isEmpty else {
            throw SandboxError(.file, diagnostics.sorted().map(\.description).joined(separator: "\n"))
        }
        return value
    }

    /// The two fields that every file begins with.
    static func declareKind(_ kind: String, _ fields: inout Fields) {
        let _: String = fields.required("apiVersion", .choice([apiVersion]), "The version of this format.")
        let _: String = fields.required("kind", .choice([kind]), "What the file holds.")
    }
}
