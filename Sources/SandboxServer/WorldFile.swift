import HTTPCore
public import JSONValues
import Simulators
import SpecFields
import YAMLReading

/// What the simulated vendors hold when the sandbox begins.
///
/// ```yaml
/// apiVersion: sandbox.belay.dev/v1alpha1
/// kind: World
/// vercel: {projects: […]}
/// kubernetes: {namespaces: […]}
/// ```
public struct WorldFile: Sendable {
    /// Each vendor's section, by its name; a vendor without one begins empty.
    public let sections: [String: JSON]
    private let text: [UInt8]
    private let file: String

    /// A world in which no vendor holds anything.
    public static let empty = WorldFile()

    private init() {
        sections = [:]
        text = []
        file = "world"
    }

    /// Reads the file's own fields; the vendors look at their sections in ``makeSimulators(tokens:clock:)``.
    /// - Parameter file: the name that messages begin with.
    public init(reading bytes: [UInt8], file: String) throws(SandboxError) {
        sections = try SandboxDocument.read(WorldFields.self, bytes, file: file).sections
        text = bytes
        self.file = file
    }

    /// The simulators of all vendors with their sections.
    /// - Parameter tokens: by the vendor's name.
    /// - Throws: what is wrong with the sections, of every vendor at once.
    func makeSimulators(tokens: [String: String], clock: any SimulatedClock) throws(SandboxError) -> [any Simulator] {
        var simulators: [any Simulator] = []
        var problems: [WorldError] = []
        for vendor in Vendor.all {
            do throws(WorldError) {
                simulators.append(try vendor.make(sections[vendor.name] ?? [:], clock, tokens[vendor.name] ?? ""))
            } catch { problems.append(error) }
        }
        guard problems.isEmpty else {
            _ = try SandboxDocument.read(WorldFields.self, text, file: file) { _, document, reading in
                for problem in problems { reading.report(problem.description, at: document.mark(at: problem.path[...])) }
            }
            throw SandboxError(.file, problems.map { "\(file): \($0)" }.joined(separator: "\n"))
        }
        return simulators
    }
}

private struct WorldFields: SpecObject {
    var sections: [String: JSON] = [:]

    init(_ fields: inout Fields) {
        SandboxDocument.declareKind("World", &fields)
        for vendor in Vendor.all {
            sections[vendor.name] = fields.optional(vendor.name, .jsonObject, "What the simulated \(vendor.title) holds.")
        }
    }
}

extension YAMLNode {
    /// Where the value at a path such as `vercel.projects[0].name` stands; of a path that leads out of the text, the last place that it
    /// passes. A key may hold dots: the longest one that fits counts.
    fileprivate func mark(at path: Substring) -> YAMLMark {
        if path.first == "[", let end = path.firstIndex(of: "]"), let index = Int(path.dropFirst().prefix(upTo: end)),
            let item = self[index]
        {
            return item.mark(at: path[path.index(after: end)...])
        }
        let rest = path.first == "." ? path.dropFirst() : path
        let fitting = entries.filter { entry in
            guard rest.hasPrefix(entry.key) else { return false }
            let next = rest.dropFirst(entry.key.count).first
            return next == nil || next == "." || next == "["
        }
        guard let entry = fitting.max(by: { $0.key.count < $1.key.count }) else { return mark }
        return entry.value.mark(at: rest.dropFirst(entry.key.count))
    }
}
