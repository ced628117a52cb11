import Model
public import SpecFields
public import YAMLReading

/// Turns spec files into systems, and says everything that is wrong with them at once. Reads no file itself and knows no provider.
public struct SpecLoader: Sendable {
    let targets: [TargetKind]
    let flagTargets: [FlagTargetKind]
    let form: Form<SystemDeclaration>
    let limits: YAMLLimits

    /// - Parameters:
    ///   - targets: the providers of which a component may name one.
    ///   - flagTargets: the flag stores of which a system may name one.
    public init(targets: [TargetKind], flagTargets: [FlagTargetKind] = [], limits: YAMLLimits = YAMLLimits()) {
        self.targets = targets
        self.flagTargets = flagTargets
        self.limits = limits
        form = SystemDeclaration.form(targets: targets, flagTargets: flagTargets)
    }

    /// Loads files; their order is that of the systems.
    public func load(_ files: [SourceFile]) -> LoadResult {
        var result = LoadResult()
        var facts: [SystemFacts] = []
        var passedOver = PassedOver()
        for file in files { load(file, into: &result, &facts, &passedOver) }
        result.diagnostics += SystemFacts.mistakes(in: facts)
        if result.systems.isEmpty, result.diagnostics.isEmpty {
            result.diagnostics = [
                Diagnostic(
                    file: Self.place(of: files),
                    message: "there is no System here\(passedOver.count > 0 ? ", only \(passedOver.description)" : ""); "
                        + "a spec begins with apiVersion: \(SystemDeclaration.apiVersion) and kind: System")
            ]
        }
        result.diagnostics.sort()
        if passedOver.count > 0 { result.notes.append("passed over \(passedOver.description)") }
        return result
    }

    private func load(_ file: SourceFile, into result: inout LoadResult, _ facts: inout [SystemFacts], _ passedOver: inout PassedOver) {
        let stream = YAMLStream(reading: file.bytes, limits: limits)
        if !stream.problems.isEmpty, !file.isExplicit, !file.bytes.contains(Array(SystemDeclaration.apiGroup.utf8)) {
            passedOver.add("file that is not YAML")  // A template of Helm, for instance: nobody meant it for us.
            return
        }
        result.diagnostics += stream.problems.map { Diagnostic(file: file.name, at: $0.mark, message: $0.message) }
        let documents = stream.documents.filter { !$0.isNull }
        if documents.isEmpty, stream.problems.isEmpty, file.isExplicit {
            let message = "the file is empty; expected a System: apiVersion: \(SystemDeclaration.apiVersion), kind: System"
            result.diagnostics.append(Diagnostic(file: file.name, message: message))
        }
        for document in documents {
            if !file.isExplicit, Self.isForeign(document) {
                passedOver.add(document["kind"]?.string.map { "document of kind \($0)" } ?? "document without a kind")
                continue
            }
            if let mistake = Self.headMistake(document, in: file.name) {
                result.diagnostics.append(mistake)
                continue
            }
            let reading = SpecReading(file: file.name)
            let system = form.read(document, reading).map {
                $0.system(origin: "\(file.name):\(document.mark.line):\(document.mark.column)", file: file.name)
            }
            result.diagnostics += reading.diagnostics
            if let system, stream.problems.isEmpty { result.systems.append(system) }
            result.diagnostics += ComponentOrder(document).mistakes(in: file.name) + References(document).mistakes(in: file.name)
            facts.append(SystemFacts(document, in: file.name, read: system, targets: targets, flagTargets: flagTargets))
        }
    }

    /// Whether a document of a directory tree is somebody else's.
    private static func isForeign(_ document: YAMLNode) -> Bool {
        if let version = document["apiVersion"]?.string { return !version.hasPrefix(SystemDeclaration.apiGroup) }
        return document["kind"]?.string != SystemDeclaration.kind
    }

    /// What keeps a document from being read as a system at all.
    private static func headMistake(_ document: YAMLNode, in file: String) -> Diagnostic? {
        func mistake(_ node: YAMLNode, _ path: String, _ message: String) -> Diagnostic {
            Diagnostic(file: file, at: node.mark, path: path, message: message)
        }
        let version = SystemDeclaration.apiVersion
        guard document.mapping != nil else {
            let found = document.sequence == nil ? "a single value" : "a list"
            return mistake(document, "", "expected a System (apiVersion: \(version), kind: System), found \(found)")
        }
        switch (document["apiVersion"], document["kind"]) {
        case (nil, nil): return mistake(document, "", "apiVersion and kind are missing; expected apiVersion: \(version) and kind: System")
        case (nil, _?): return mistake(document, "apiVersion", "is required; expected \(version)")
        case (_?, nil): return mistake(document, "kind", "is required; expected System")
        case (_?, let kind?) where kind.string != SystemDeclaration.kind:
            return mistake(kind, "kind", "expected System, found \(found(kind))")
        case (let written?, _?) where written.string != version:
            return mistake(written, "apiVersion", "expected \(version), found \(found(written))")
        default: return nil
        }
    }

    private static func found(_ node: YAMLNode) -> String {
        node.string?.shortened ?? (node.isNull ? "nothing" : node.sequence == nil ? "a mapping" : "a list")
    }

    /// The directory that all the files share, or the one file.
    private static func place(of files: [SourceFile]) -> String {
        guard let first = files.first?.name else { return "." }
        if files.count == 1 { return first }
        var shared = first.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        for file in files {
            let parts = file.name.split(separator: "/", omittingEmptySubsequences: false)
            shared = shared.prefix(zip(shared, parts).prefix { $0 == $1 }.count)
        }
        return shared.isEmpty ? "." : shared.joined(separator: "/")
    }
}

/// Counts what is nobody's mistake and nobody's system.
private struct PassedOver {
    private var counts: [String: Int] = [:]
    private(set) var count = 0

    mutating func add(_ what: String) {
        counts[what.shortened, default: 0] += 1
        count += 1
    }

    var description: String { counts.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ") }
}

extension [UInt8] {
    fileprivate func contains(_ wanted: [UInt8]) -> Bool {
        guard count >= wanted.count else { return false }
        return (0...(count - wanted.count)).contains { self[$0] == wanted[0] && self[$0..<($0 + wanted.count)].elementsEqual(wanted) }
    }
}
