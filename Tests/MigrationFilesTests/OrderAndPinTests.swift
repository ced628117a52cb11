import SQLParsing
import Testing

@testable import MigrationFiles

/// Contract migrations.md §1.1 (order) and the pins of §3.2.
struct OrderAndPinTests {
    private func stems(_ names: [String], _ format: MigrationFormat, _ order: MigrationOrder? = nil) throws -> MigrationDirectory {
        try read(names.map { ("\($0).sql", "-- migrate:up\n-- +migrate Up\nselect 1;\n-- migrate:down\n") }, format, order)
    }

    private func plain(_ names: [String], _ order: MigrationOrder? = nil) throws -> MigrationDirectory {
        try read(names.map { ("\($0).sql", "select 1;") }, .stem, order)
    }

    @Test func eightAndFourteenDigitsAreRefusedUntilTheOrderIsNamed() throws {
        let names = ["20240611_add_index", "20231231235959_x"]
        let files = names.map { ("\($0).sql", "select 1;") }
        #expect(mistakes(files, .stem) == ["AmbiguousOrder"])
        #expect(
            firstMessage(files, .stem)
                == "as numbers these stand in this order, as text the other way round: 20240611_add_index and 20231231235959_x;"
                + " set migrations.order to numeric or lexical (stem goes by the number)")
        #expect(try plain(names, .numeric).migrations.map(\.stem) == ["20240611_add_index", "20231231235959_x"])
        #expect(try plain(names, .lexical).migrations.map(\.stem) == ["20231231235959_x", "20240611_add_index"])
    }

    @Test func mixedWidthsAreFineWhereBothOrdersAgree() throws {
        #expect(try plain(["20240611_a", "20240612000000_b"]).migrations.map(\.number) == ["20240611", "20240612000000"])
    }

    @Test func onePlaceIsTwoPlacesFromTen() throws {
        let files = ["1_a", "2_b", "10_c"].map { ("\($0).up.sql", "select 1;") }
        #expect(mistakes(files, .golangMigrate) == ["AmbiguousOrder"])
        #expect(try read(files, .golangMigrate, .numeric).migrations.map(\.stem) == ["1_a", "2_b", "10_c"])
    }

    @Test func numbersOfAnyLengthAreCompared() throws {
        let names = ["99999999999999999999999999_a", "100000000000000000000000000_b"]
        #expect(try plain(names, .numeric).migrations.map(\.stem) == names)
    }

    @Test func tiesGoByTheBytesOfTheStem() throws {
        let names = ["0000_create_extension_btree", "0000_alter", "0000_create_extension_citext", "0001_x"]
        #expect(try plain(names).migrations.map(\.stem) == names.sorted())
    }

    @Test func flywayGoesPartByPart() throws {
        let files = ["V1.10__c", "V1.9__b", "V2__d", "V1__a", "R__z"].map { ("\($0).sql", "select 1;") }
        #expect(try read(files).migrations.map(\.stem) == ["V1__a", "V1.9__b", "V1.10__c", "V2__d", "R__z"])
        #expect(mistakes(files, .flyway, .lexical) == ["UnsupportedOrder"])
    }

    // MARK: Pins

    @Test func aPinIsAStemOrANumberThatOnlyOneHas() throws {
        let directory = try plain(["0000_a", "0000_b", "0001_c", "20240611_d", "20240611093000_e"], .numeric)
        let found: [(pin: String, stem: String, why: String)] = [
            ("0000_a", "0000_a", "the whole stem"), ("0001", "0001_c", "its number"), ("1", "0001_c", "without its zeros"),
            ("20240611", "20240611_d", "the whole number, not the beginning of a longer one"),
            ("20240611093000", "20240611093000_e", "14 digits"),
        ]
        for (pin, stem, why) in found { #expect(try directory.resolve(pin).stem == stem, "\(why)") }
    }

    @Test func aNumberOfTwoIsAmbiguous() throws {
        let directory = try plain(["0000_a", "0000_b"])
        #expect(
            throws: PinError(
                .ambiguous, candidates: ["0000_a", "0000_b"], "0000 is the number of 2 migrations: 0000_a, 0000_b; write the whole name")
        ) {
            try directory.resolve("0000")
        }
    }

    @Test func anUnknownPinIsNeverTheNearestButNamesIt() throws {
        let directory = try plain(["20240611093000_add_index", "20240612093000_drop"])
        let cases: [(pin: String, message: String)] = [
            ("20240611", "no migration is called 20240611; did you mean 20240611093000_add_index?"),
            ("20240611093000_add_indx", "no migration is called 20240611093000_add_indx; did you mean 20240611093000_add_index?"),
            ("add_index", "no migration is called add_index; did you mean 20240611093000_add_index?"),
            ("v7", "no migration is called v7; the last one is 20240612093000_drop"),
        ]
        for (pin, message) in cases {
            do throws(PinError) {
                _ = try directory.resolve(pin)
                Issue.record("\(pin) was found")
            } catch {
                #expect(error.message == message)
                #expect(error.code == .unknown)
            }
        }
    }

    @Test func aRepeatableOneIsNoPin() throws {
        let directory = try read([("V1.0__a.sql", "select 1;"), ("R__z.sql", "select 1;")])
        #expect(try directory.resolve("1").stem == "V1.0__a")
        #expect(throws: PinError.self) { try directory.resolve("R__z") }
    }
}
