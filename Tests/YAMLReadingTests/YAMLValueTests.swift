import Testing
import YAMLReading

@Suite struct YAMLValueTests {
    @Test(arguments: [
        ("null", YAMLValue.null, "null"), ("~", .null, "tilde"), ("", .null, "nothing"),
        ("true", .bool(true), "a Boolean"), ("FALSE", .bool(false), "in capitals"),
        ("yes", .string("yes"), "YAML 1.1 only"), ("on", .string("on"), "YAML 1.1 only"), ("tRue", .string("tRue"), "mixed case"),
        ("12", .int(12), "decimal"), ("-7", .int(-7), "signed"), ("+7", .int(7), "signed"), ("007", .int(7), "not octal in 1.2"),
        ("0o17", .int(15), "octal"), ("0x1F", .int(31), "hexadecimal"), ("0x-1", .string("0x-1"), "no sign after 0x"),
        ("0x", .string("0x"), "no digits"),
        ("1.10", .float(1.1), "a float"), ("1e3", .float(1000), "an exponent"), (".5", .float(0.5), "no whole part"),
        ("5.", .float(5), "no fraction"),
        (".", .string("."), "no digit at all"), ("+", .string("+"), "a sign alone"), ("1e", .string("1e"), "no exponent"),
        ("1:30", .string("1:30"), "base 60 is YAML 1.1"), ("2024-06-01", .string("2024-06-01"), "dates are YAML 1.1"),
        ("1_000", .string("1_000"), "YAML 1.1"),
        ("99999999999999999999", .float(1e20), "does not fit"), (".inf", .float(.infinity), "infinity"),
        ("nan", .string("nan"), "only with its dot"),
        ("infinity", .string("infinity"), "Swift would take it"), ("\"12\"", .string("12"), "quoted"),
        ("!!str 12", .string("12"), "tagged"),
    ])
    func plainScalarsFollowTheCoreSchema(text: String, expected: YAMLValue, why: String) throws {
        #expect(try YAMLNode(reading: Array("- \(text)".utf8))[0]?.value == expected, "\(why)")
    }

    @Test func collectionsAreConvertedWithTheirOrder() throws {
        let node = try YAMLNode(reading: Array("{b: [1, x], a: {c: no}}".utf8))
        #expect(
            node.value
                == .mapping([("b", .sequence([.int(1), .string("x")])), ("a", .mapping([("c", .string("no"))]))]))
    }
}
