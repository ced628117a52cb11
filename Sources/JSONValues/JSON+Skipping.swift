extension JSONParser {
    /// True if the member whose name begins here is not wanted.
    var isLeftOut: Bool {
        for name in leftOut {
            let end = position + 1 + name.count
            guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { continue }
            var index = 0
            while index < name.count, bytes[position + 1 + index] == name[index] { index += 1 }
            if index == name.count { return true }
        }
        return false
    }

    /// Passes over one value without making it. What follows a backslash is not looked at.
    mutating func skip() throws(JSONError) {
        skipSpace()
        switch next {
        case UInt8(ascii: "{")?: try skipMembers()
        case UInt8(ascii: "[")?: try skipElements()
        case UInt8(ascii: "\"")?: try skipString()
        default: _ = try value()
        }
    }

    mutating func skipString() throws(JSONError) {
        position += 1
        while let byte = next {
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
        throw failure("a string without an end")
    }

    private mutating func skipMembers() throws(JSONError) {
        try enter()
        var isFirst = true
        while next != UInt8(ascii: "}") {
            if !isFirst { try comma("expected , or }") }
            isFirst = false
            guard next == UInt8(ascii: "\"") else { throw failure("expected a member name") }
            try skipString()
            try colon()
            try skip()
            skipSpace()
        }
        leave()
    }

    private mutating func skipElements() throws(JSONError) {
        try enter()
        var isFirst = true
        while next != UInt8(ascii: "]") {
            if !isFirst { try comma("expected , or ]") }
            isFirst = false
            try skip()
            skipSpace()
        }
        leave()
    }

    private mutating func comma(_ otherwise: String) throws(JSONError) {
        guard next == UInt8(ascii: ",") else { throw failure(otherwise) }
        position += 1
        skipSpace()
    }

    private mutating func leave() {
        position += 1
        depthLeft += 1
    }
}
