import JSONValues

/// A label selector as a query writes it: `app=api,tier in (web,edge),!old`.
struct LabelSelector: Sendable {
    private enum Requirement: Sendable {
        case isIn(String, [String])
        case isNotIn(String, [String])
        case exists(String)
        case doesNotExist(String)
    }

    private var requirements: [Requirement] = []

    init(_ text: String) throws(APIFailure) {
        var depth = 0
        var parts = [""]
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        for part in parts where !part.allSatisfy(\.isWhitespace) {
            let words = part.split(separator: " ").map(String.init)
            if words.count >= 3, words[1] == "in" || words[1] == "notin" {
                let set = words[2...].joined().filter { $0 != "(" && $0 != ")" }.split(separator: ",", omittingEmptySubsequences: false)
                    .map(String.init)
                requirements.append(words[1] == "in" ? .isIn(words[0], set) : .isNotIn(words[0], set))
            } else if let found = ["!=", "==", "="].first(where: part.contains) {
                let sides = part.split(separator: "=", maxSplits: found == "==" ? 2 : 1, omittingEmptySubsequences: false)
                let key = String(sides[0].filter { $0 != "!" && $0 != " " })
                let value = String((sides.last ?? "").filter { $0 != " " })
                requirements.append(found == "!=" ? .isNotIn(key, [value]) : .isIn(key, [value]))
            } else if words.count == 1 {
                requirements.append(part.hasPrefix("!") ? .doesNotExist(String(words[0].dropFirst())) : .exists(words[0]))
            } else {
                throw .badRequest("unable to parse requirement: \(part)")
            }
        }
    }

    func matches(_ labels: JSON?) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .isIn(let key, let values): labels?[key]?.string.map(values.contains) ?? false
            case .isNotIn(let key, let values): !(labels?[key]?.string.map(values.contains) ?? false)
            case .exists(let key): labels?[key] != nil
            case .doesNotExist(let key): labels?[key] == nil
            }
        }
    }
}
