import FoundationEssentials
import HTTPCore
import JSONValues
import Subprocess
import SystemPackage

/// A vendor's OpenAPI document, to check recorded exchanges against.
///
/// ```swift
/// static let document = VendorDocument("render/render.openapi.wire.json")
///
/// @Test(.enabled("\(document.need)") { try await document.isHere })
/// func everyAnswerFitsTheVendorsDocument() async throws {
///     let recording = RecordingSimulator(simulator)
///     …
///     let mistakes = try await Self.document.mistakes(in: recording.exchanges)
///     #expect(mistakes.isEmpty, "\(mistakes.joined(separator: "\n"))")
/// }
/// ```
public struct VendorDocument: Sendable {
    /// Below the folder that `BELAY_CONTRACTS` names.
    public let name: String

    public init(_ name: String) { self.name = name }

    /// What a machine must have for the check.
    public var need: String { "needs BELAY_CONTRACTS, a folder with \(name), and the Python package openapi-core" }

    /// True if the document and what reads it are on this machine.
    public var isHere: Bool {
        get async throws {
            guard path != nil else { return false }
            let result = try await Subprocess.run(
                .name("python3"), arguments: ["-c", "import openapi_core"], output: .discarded, error: .discarded)
            return result.terminationStatus.isSuccess
        }
    }

    /// What does not fit the document: one line each, with the exchange that it is about; empty when everything fits.
    ///
    /// Requests are checked unless they were refused (a refused one is an example of a wrong one), answers always, whatever their status.
    ///
    /// - Throws: ``ValidationFailure`` if the check itself did not end.
    public func mistakes(in exchanges: [RecordedExchange]) async throws -> [String] {
        guard let path else { throw ValidationFailure(message: need) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "belay-openapi-\(UInt64.random(in: 0...(.max)))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // Nothing depends on it any more.
        let file = folder.appending(path: "exchanges.jsonl")
        try Data(exchanges.map { $0.line + "\n" }.joined().utf8).write(to: file)
        let result = try await Subprocess.run(
            .name("python3"), arguments: [Self.script, path, file.path], output: .string(limit: 4 << 20), error: .string(limit: 1 << 16))
        let lines = result.standardOutput.split(separator: "\n").map(String.init)
        // The script ends with a line that counts: without it the check broke off.
        guard let count = lines.last, count.contains(" checks, ") else {
            throw ValidationFailure(message: "the check of \(name) broke off: \(result.standardError)")
        }
        return lines.dropLast()
    }

    private var path: String? {
        guard let folder = ProcessInfo.processInfo.environment["BELAY_CONTRACTS"], !folder.isEmpty else { return nil }
        let path = "\(folder)/\(name)"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    private static let script =
        "\(#filePath)".split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/validate-openapi.py"
}

/// Why exchanges could not be checked.
public struct ValidationFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var description: String { message }
}

extension RecordedExchange {
    /// As Tests/Support/validate-openapi.py reads it.
    fileprivate var line: String {
        let exchange: JSON = [
            "method": .string(method.rawValue), "url": .string(target),
            "body": body.isEmpty ? .null : .string(String(decoding: body, as: UTF8.self)),
            "status": .integer(status), "contentType": .optional(contentType), "answer": .string(String(decoding: answer, as: UTF8.self)),
        ]
        return exchange.description
    }
}
