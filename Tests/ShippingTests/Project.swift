import FoundationEssentials
import TestPrograms
import Testing
import YAMLReading

/// The files of this project.
enum Project {
    /// Three folders above this file.
    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

    static func text(_ path: String) throws -> String { try String(contentsOf: URL(filePath: "\(root)/\(path)"), encoding: .utf8) }

    /// The names in a folder, sorted.
    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted()
    }

    static func yaml(_ path: String) throws -> YAMLNode { try YAMLNode(reading: Array(try text(path).utf8)) }

    /// What is between two texts; the whole rest where the second is not there.
    static func part(of text: String, after start: String, before end: String) throws -> Substring {
        let begin = try #require(text.firstRange(of: start), "\(start)")
        let rest = text[begin.upperBound...]
        return rest.firstRange(of: end).map { rest[..<$0.lowerBound] } ?? rest
    }
}

/// A program that .ci/setup installs for the tests.
struct Tool {
    var name: String

    static let kubectl = Tool(name: "kubectl")
    static let helm = Tool(name: "helm")
    static let hadolint = Tool(name: "hadolint")
    static let checkJSONSchema = Tool(name: "check-jsonschema")
    static let kubernetesValidate = Tool(name: "kubernetes-validate")

    var isThere: Bool { path != nil }
    var need: Comment { Comment(rawValue: "needs \(name) on the search path: .ci/setup test") }

    var path: String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @discardableResult
    func run(_ arguments: [String], variables: [String: String?] = [:]) async throws -> BuiltProgram.Ended {
        try await BuiltProgram(onSearchPath: name).run(arguments, variables: variables, in: Project.root)
    }

    /// What it printed; a failure is an issue of the test.
    @discardableResult
    func output(_ arguments: [String], variables: [String: String?] = [:]) async throws -> String {
        let ended = try await run(arguments, variables: variables)
        try #require(ended.status == 0, "\(name) \(arguments.joined(separator: " ")): \(ended.output)\(ended.errors)")
        return ended.output
    }
}
