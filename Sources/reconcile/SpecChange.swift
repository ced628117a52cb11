import Model
import SpecEditing

/// What a command changes in the spec of one system: pins, flags, values; written, committed and pushed in one go.
struct SpecChange: Sendable {
    /// One thing that is set otherwise.
    struct Item: Sendable, Hashable {
        /// As people call it: `web`, `database main`, `flag new_player`, `web: env API_URL`.
        var name: String
        /// Nil for what was not there.
        var from: String?
        /// Nil for what is taken out.
        var to: String?
        var edits: [SpecEdit]
        /// Comes with another item, so that the first line of a commit leaves it out.
        var isDetail: Bool

        init(_ name: String, from: String?, to: String?, edits: [SpecEdit], isDetail: Bool = false) {
            self.name = name
            self.from = from
            self.to = to
            self.edits = edits
            self.isDetail = isDetail
        }

        /// `web from v3 to v2`.
        var sentence: String {
            switch (from, to) {
            case (let from?, let to?): "\(name) from \(from) to \(to)"
            case (nil, let to?): "\(name) to \(to)"
            case (let from?, nil): "\(name) taken out (was \(from))"
            case (nil, nil): "\(name) taken out"
            }
        }

        /// `web: v3 → v2`.
        var arrow: String { "\(name): \(from ?? "nothing") → \(to ?? "nothing")" }
    }

    var items: [Item]
    /// What was done, for the first line of the commit: `roll back`; nil where the changes say it themselves.
    var verb: String?
    /// Why it was done, in the words of who did it.
    var reason: String?

    /// The commit's message: what, from what, to what, why.
    func message(for system: SystemID) -> String {
        let name = system.namespace == "default" ? system.name : system.description
        let verb = verb.map { "\($0) " } ?? ""
        let pins = items.contains { !$0.isDetail } ? items.filter { !$0.isDetail } : items
        var subject = "\(name): \(verb)\(pins.map(\.sentence).joined(separator: ", "))"
        if subject.count > 72 { subject = "\(name): \(verb)\(pins.map(\.name).joined(separator: ", "))" }
        if subject.count > 72 { subject = "\(name): \(verb)\(pins.count) pins" }
        var paragraphs = [subject]
        if items.count > 1 || !subject.hasSuffix(items.first?.sentence ?? "") {
            paragraphs.append(items.map { "- \($0.sentence)" }.joined(separator: "\n"))
        }
        if let reason, !reason.isEmpty { paragraphs.append(reason) }
        return paragraphs.joined(separator: "\n\n")
    }
}
