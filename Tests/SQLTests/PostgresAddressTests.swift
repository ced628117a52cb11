import SQL
import Testing

@Suite struct PostgresAddressTests {
    @Test(arguments: [
        ("postgres://u:secret@db.example.com:6543/main", "main at db.example.com:6543"),
        ("postgresql://db.example.com/main", "main at db.example.com:5432"),
        ("host=/tmp/pg port=5433 dbname=main password='secret x'", "main at /tmp/pg:5433"),
        ("postgres://u@db.example.com", "the default database at db.example.com:5432"),
        ("postgres://u:se?cret&&pgbouncer@db/main", "main at db:5432"), ("postgres://u:se%40cret@a:1,b:2/main", "main at a,b:1,2"),
    ]) func anAddressIsDescribedWithoutUserAndPassword(_ text: String, _ description: String) throws {
        let address = try PostgresAddress(text)
        #expect("\(address)" == description)
        var dumped = ""
        dump(address, to: &dumped)
        #expect(!dumped.contains("secret") && !String(reflecting: address).contains("secret"))
    }

    @Test(arguments: [
        ("postgres://u:se@cret@db/main", "an @ in the password"),
        ("postgres://u:se/cret@db/main", "a slash in the password: a port"),
        ("postgres://u:12/cret@db/main", "a slash behind digits: a port and a database"),
        ("postgres://u:%zzcret@db/main", "a percent sign in the password"),
        ("password=se cret host=db", "a blank in the password"),
        ("cret", "no address at all"),
        ("postgres://u:x@db/main?cret=1", "a parameter that nobody knows"),
        ("host=db\0cret", "a zero byte"),
    ]) func anAddressThatCannotBeReadIsNotRepeated(_ text: String, _ why: Comment) {
        let error = #expect(throws: SQLError.self, why) { try PostgresAddress(text) }
        #expect(error?.code == .misconfigured, why)
        #expect(error?.description.contains("cret") == false, why)
    }

    @Test func parametersOfOtherClientsAreDropped() throws {
        let plain = try PostgresAddress("postgres://u@db/main?sslmode=require")
        #expect(try PostgresAddress("postgres://u@db/main?pgbouncer=true&sslmode=require&connection_limit=1&schema=public") == plain)
        #expect(try PostgresAddress("postgres://u@db/main?pgbouncer=true") == PostgresAddress("postgres://u@db/main"))
    }

    @Test func programsFindTheSamePlaceInTheirEnvironment() throws {
        let address = try PostgresAddress("postgres://u:p%20w@db:6543/main?sslmode=verify-full&sslrootcert=/ca.pem")
        #expect(
            address.withDatabase("other").environment == [
                "PGHOST": "db", "PGPORT": "6543", "PGUSER": "u", "PGPASSWORD": "p w", "PGDATABASE": "other", "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": "/ca.pem", "PGCONNECT_TIMEOUT": "10",
            ])
        #expect(address.database == "main" && address.host == "db" && address.port == "6543")
    }
}
