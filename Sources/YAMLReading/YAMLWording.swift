/// libyaml's messages in words for a person who edits a spec. What is not listed keeps libyaml's own words.
enum YAMLWording {
    static func ofReader(_ problem: String, value: Int32) -> String {
        switch problem {
        case "control characters are not allowed":
            let hex = String(UInt32(bitPattern: value), radix: 16, uppercase: true)
            return "the character U+\(String(repeating: "0", count: max(0, 4 - hex.count)))\(hex) is not allowed; is this a text file?"
        case "input error", "input is too long": return problem
        default: return "this byte is not UTF-8; save the file as UTF-8"
        }
    }

    /// - Parameter context: what libyaml was reading, and `since` where that began.
    /// - Returns: the message, and whether it belongs to the place where the context began instead of the place where reading stopped.
    static func ofParser(_ problem: String, while context: String, since: YAMLMark, atTab: Bool) -> (message: String, isAtContext: Bool) {
        let quoted = "this quoted string has no closing quote"
        switch problem {
        case "could not find expected ':'": return ("expected \"key: value\"; the ':' behind this key is missing", true)
        case "found unexpected end of stream", "found unexpected document indicator": return (quoted, true)
        case "did not find expected alphabetic or numeric character":
            let (sign, noun) = context.contains("alias") ? ("*", "an alias") : ("&", "an anchor")
            return ("'\(sign)' begins \(noun); put a value that begins with '\(sign)' in quotes", true)
        default: break
        }
        let begins = "that begins at line \(since.line), column \(since.column)"
        let message =
            switch problem {
            case "found a tab character where an indentation space is expected", "found a tab character that violates indentation":
                "a tab stands where spaces must indent"
            case "found character that cannot start any token":
                atTab ? "a tab stands where spaces must indent" : "a value cannot begin with this character; put the value in quotes"
            case "found unexpected ':'": "':' stands in a value without quotes; put the value in quotes"
            case "found an indentation indicator equal to 0": "the indentation after | or > is a digit from 1 to 9"
            case "did not find expected comment or line break": "only a comment or the end of the line may stand here"
            case "found unknown escape character":
                "unknown escape in a double-quoted string; write \\\\ for a backslash, or use single quotes"
            case "did not find expected hexdecimal number": "hexadecimal digits must follow \\x, \\u and \\U"
            case "found invalid Unicode character escape code": "this escape is not a Unicode character"
            case "block sequence entries are not allowed in this context": "a list item cannot stand here; look at the indentation"
            case "mapping keys are not allowed in this context": "a key cannot stand here; look at the indentation"
            case "mapping values are not allowed in this context":
                "':' cannot stand here; look at the indentation, and put a value that contains \": \" in quotes"
            case "did not find expected <document start>": "the document has ended; begin another one with ---"
            case "did not find expected node content": "expected a value"
            case "did not find expected ',' or ']'": "expected ',' or ']' in the list \(begins)"
            case "did not find expected ',' or '}'": "expected ',' or '}' in the mapping \(begins)"
            case "did not find expected '-' indicator": "expected '-' and the next item of the list \(begins); look at the indentation"
            case "did not find expected key": "expected the next key of the mapping \(begins); look at the indentation"
            case "found undefined tag handle": "this tag is not defined; remove it, or put a value that begins with '!' in quotes"
            case "found incompatible YAML document": "only YAML 1.1 and 1.2 are read"
            case _ where context.contains("tag"): "this is not a tag; put a value that begins with '!' in quotes"
            case _ where context.contains("directive"): "this is not a YAML directive; a line that begins with '%' needs quotes"
            default: problem
            }
        return (message, false)
    }
}
