import JSONValues

extension JSON {
    /// A number of pods or seconds, an `int32` of the API: no arithmetic on what a server says can then overflow.
    var count: Int? { integer.map { Swift.min(Swift.max($0, 0), Int(Int32.max)) } }
}
