import CYAML

/// libyaml's events, one at a time. The strings of an event are good until the next one.
struct EventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    let event: UnsafeMutablePointer<yaml_event_t>
    private let bytes: UnsafeBufferPointer<UInt8>
    private let isReady: Bool

    /// - Parameter bytes: must stay in place for as long as the reader is used.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        parser = .allocate(capacity: 1)
        event = .allocate(capacity: 1)
        event.initialize(to: yaml_event_t())
        isReady = yaml_parser_initialize(parser) == 1
        if isReady { yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count) }
    }

    deinit {
        yaml_event_delete(event)
        if isReady { yaml_parser_delete(parser) }
        event.deallocate()
        parser.deallocate()
    }

    var type: yaml_event_type_t { event.pointee.type }
    var mark: YAMLMark { YAMLMark(event.pointee.start_mark) }

    func advance() throws(YAMLProblem) {
        yaml_event_delete(event)
        guard isReady else { throw YAMLProblem(.limit, at: YAMLMark(line: 1, column: 1), "not enough memory to read the text") }
        guard yaml_parser_parse(parser, event) == 1 else { throw failure }
    }

    private var failure: YAMLProblem {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "unreadable"
        switch state.error {
        case YAML_READER_ERROR:
            return YAMLProblem(.syntax, at: mark(atByte: state.problem_offset), YAMLWording.ofReader(problem, value: state.problem_value))
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            let wording = YAMLWording.ofParser(
                problem, while: state.context.map { String(cString: $0) } ?? "", since: YAMLMark(state.context_mark),
                atTab: state.buffer.pointer != state.buffer.last && state.buffer.pointer.pointee == 0x09)
            return YAMLProblem(.syntax, at: YAMLMark(wording.isAtContext ? state.context_mark : state.problem_mark), wording.message)
        default:
            return YAMLProblem(.limit, at: YAMLMark(state.mark), "not enough memory to read the text")
        }
    }

    private func mark(atByte offset: Int) -> YAMLMark {
        var (line, column) = (1, 1)
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        for index in start..<max(start, min(offset, bytes.count)) {
            let byte = bytes[index]
            let endsLine = byte == 0x0A || (byte == 0x0D && !(index + 1 < bytes.count && bytes[index + 1] == 0x0A))
            if endsLine {
                (line, column) = (line + 1, 1)
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return YAMLMark(line: line, column: column)
    }
}

extension YAMLMark {
    init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }
}
