import ConfigurationValues
import FoundationEssentials
import Model
import ProviderKit
import Testing

@Suite struct ConfigurationKeyTests {
    private let operators = ConfigurationKey([UInt8](repeating: 7, count: 32), seals: true)
    private let others = ConfigurationKey([UInt8](repeating: 8, count: 32), seals: true)
    private let stores = ConfigurationKey([UInt8](repeating: 7, count: 32), seals: false)

    @Test func aFingerprintTellsKeyAndValueApartAndNothingElse() {
        let fingerprint = operators.fingerprint("A", Secret("hunter2"))
        #expect(fingerprint == operators.fingerprint("A", Secret("hunter2")), "deterministic")
        #expect(fingerprint.count == 41 && fingerprint.allSatisfy { $0.isHexDigit || $0 == "." })
        #expect(operators.made(fingerprint) && !others.made(fingerprint), "the key that made it is recognised")
        #expect(fingerprint != operators.fingerprint("B", Secret("hunter2")), "equal values of two keys do not look equal")
        #expect(fingerprint != operators.fingerprint("A", Secret("hunter3")))
        #expect(fingerprint != others.fingerprint("A", Secret("hunter2")), "of another operator's key")
        #expect(operators.fingerprint("A", Secret("")) != operators.fingerprint("B", Secret("")))
    }

    @Test func onlyTheOperatorsKeySeals() {
        #expect(operators.canSeal && !stores.canSeal)
        #expect(operators.keeper.entry("A", Secret("hunter2")).sealed != nil)
        let entry = stores.keeper.entry("A", Secret("hunter2"), marker: "m")
        #expect(entry.sealed == nil && entry.marker == "m", "the store's key lies beside what it would seal")
        #expect(entry.fingerprint == operators.fingerprint("A", Secret("hunter2")))
    }

    @Test(arguments: ["hunter2", "", "ü€😀\n", String(repeating: "x", count: 65536)])
    func whatWasSealedIsOpenedWithTheSameKeyAndNameOnly(value: String) throws {
        let sealed = try #require(operators.keeper.entry("A", Secret(value)).sealed)
        #expect(operators.open("A", sealed) == Secret(value))
        #expect(operators.open("B", sealed) == nil, "moved to another name")
        #expect(others.open("A", sealed) == nil, "another key")
        #expect(stores.open("A", sealed) == nil, "a key that does not seal")
        #expect(operators.keeper.entry("A", Secret(value)).sealed == sealed, "the same value seals to the same text")
        #expect(value.isEmpty || !sealed.contains(value))
    }

    @Test func whatWasTamperedWithIsNotOpened() throws {
        let sealed = try #require(operators.keeper.entry("A", Secret("hunter2")).sealed)
        var bytes = try #require(Data(base64Encoded: sealed))
        for index in bytes.indices {
            bytes[index] ^= 1
            #expect(operators.open("A", bytes.base64EncodedString()) == nil, "byte \(index)")
            bytes[index] ^= 1
        }
        for text in ["", "AAAA", "no base64!", String(sealed.dropLast(4)), sealed + "AAAA"] { #expect(operators.open("A", text) == nil) }
    }

    @Test func noValueIsPrintedWithAKey() {
        #expect(!"\(operators)".contains("7, 7"))
        #expect(!"\(operators.keeper.entry("A", Secret("hunter2")))".contains("hunter2"))
    }

    @Test func withoutAVariableThereIsNoOperatorsKey() throws {
        #expect(try ConfigurationKey.fromEnvironment([:]) == nil)
        #expect(try ConfigurationKey.fromEnvironment(["BELAY_KEY": ""]) == nil)
        #expect(try ConfigurationKey.fromEnvironment(["BELAY_KEY": "\n"]) == nil)
    }

    @Test func aKeyIsThirtyTwoBytesInBase64() throws {
        let text = Data(repeating: 7, count: 32).base64EncodedString()
        let wrapped = Data(repeating: 7, count: 32).base64EncodedString().prefix(20) + "\r\n" + text.dropFirst(20) + "\n"
        for text in [text, String(wrapped)] {
            let key = try #require(try ConfigurationKey.fromEnvironment(["BELAY_KEY": text]))
            #expect(key.canSeal && key.fingerprint("A", Secret("x")) == operators.fingerprint("A", Secret("x")))
        }
    }

    @Test(arguments: [
        ("hunter2-hunter2-hunter2-hunter2-hunter2", "no base64"), (Data(repeating: 7, count: 31).base64EncodedString(), "too short"),
        ("====", "padding only"), (Data(repeating: 0xFB, count: 32).base64EncodedString().replacing("+", with: "-"), "another alphabet"),
    ])
    func aKeyThatIsUnusableIsToldWithoutShowingIt(text: String, why: String) {
        let problem = #expect(throws: Problem.self, "\(why)") { try ConfigurationKey.fromEnvironment(["BELAY_KEY": text]) }
        #expect(
            problem?.description
                == "BELAY_KEY is not 32 bytes or more in base64; set the one that was used before; a first one is made with: head -c 32 /dev/urandom | base64"
        )
    }
}
