/// The elements of collections that are still open, those of the innermost last: each collection then needs one allocation of the right
/// size. Growing an array for each takes 15 % longer for a file of 1 KB.
struct PendingElements<Element>: ~Copyable {
    private var memory: UnsafeMutablePointer<Element>
    private var capacity = 64
    private(set) var count = 0

    init() { memory = .allocate(capacity: capacity) }

    deinit {
        memory.deinitialize(count: count)
        memory.deallocate()
    }

    mutating func append(_ element: consuming Element) {
        if count == capacity { grow() }
        (memory + count).initialize(to: element)
        count += 1
    }

    /// Moves everything behind the first `start` elements out.
    mutating func take(from start: Int) -> [Element] {
        let size = count - start
        guard size > 0 else { return [] }
        let source = memory + start
        count = start
        return Array(unsafeUninitializedCapacity: size) { buffer, initialized in
            buffer.baseAddress?.moveInitialize(from: source, count: size)
            initialized = size
        }
    }

    /// Good until the next change.
    func elements(from start: Int) -> UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: memory + start, count: count - start) }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: memory, count: count)
        memory.deallocate()
        memory = larger
        capacity *= 2
    }
}

/// Finds a key among the entries read so far: by looking at them while they are few, through a table from then on.
struct KeyTable {
    private static let few = 16
    private var table: [String: YAMLMark] = [:]

    /// To be called once for each key, before its entry is appended.
    mutating func place(of key: String, in entries: UnsafeBufferPointer<YAMLMapping.Entry>) -> YAMLMark? {
        guard entries.count > Self.few else { return entries.first { $0.key == key }?.keyMark }
        for entry in entries[table.count...] { table[entry.key] = entry.keyMark }
        return table[key]
    }
}
