/// The lines of a text, by the bytes at which they begin and end.
struct Lines {
    let bytes: [UInt8]

    /// Where the line begins that holds a place.
    func start(_ place: Int) -> Int {
        var start = place
        while start > 0, bytes[start - 1] != 0x0A { start -= 1 }
        return start == 0 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? min(3, place) : start
    }

    /// Where the line ends that holds a place, before its line break.
    func end(_ place: Int) -> Int {
        var end = place
        while end < bytes.count, bytes[end] != 0x0A { end += 1 }
        return end > place && end < bytes.count && bytes[end - 1] == 0x0D ? end - 1 : end
    }

    /// Where the next line begins.
    func next(_ place: Int) -> Int {
        var next = place
        while next < bytes.count, bytes[next] != 0x0A { next += 1 }
        return min(next + 1, bytes.count)
    }

    /// True if only blanks stand before a place in its line.
    func isFirst(_ place: Int) -> Bool { bytes[start(place)..<place].allSatisfy { $0 == 0x20 } }

    /// The first place from there on that is not a blank.
    func skippingBlanks(_ place: Int) -> Int {
        var place = place
        while place < bytes.count, bytes[place] == 0x20 || bytes[place] == 0x09 { place += 1 }
        return place
    }

    /// The line break of the line that holds a place; the text's first where that line is its last.
    func lineBreak(_ place: Int) -> String {
        var end = place
        while end < bytes.count, bytes[end] != 0x0A { end += 1 }
        if end == bytes.count { end = bytes.firstIndex(of: 0x0A) ?? bytes.count }
        return end > 0 && end < bytes.count && bytes[end - 1] == 0x0D ? "\r\n" : "\n"
    }

    /// How many characters stand before a place in its line.
    func column(_ place: Int) -> Int { bytes[start(place)..<place].count { $0 & 0xC0 != 0x80 } }
}
