import Migrations
import Testing

struct SchemaDifferenceTests {
    static let before = [
        "table public.orders", "column public.orders.note: text", "column public.orders.id: bigint not null",
        #"column public."a: b".c: text"#, "index public.orders_note: CREATE INDEX orders_note ON public.orders USING btree (note)",
    ]
    static let after = [
        "table public.orders", "column public.orders.note: character varying(20)", "column public.orders.paid: boolean",
        "column public.orders.id: bigint not null", "enum public.status: 'new'",
        "index public.orders_note: CREATE INDEX orders_note ON public.orders USING btree (note)",
    ]

    @Test func linesAreReadable() {
        let difference = SchemaDifference(from: Self.before, to: Self.after)
        #expect(
            difference.lines() == [
                #"- column public."a: b".c: text"#, "~ column public.orders.note: text -> character varying(20)",
                "+ column public.orders.paid: boolean", "+ enum public.status: 'new'",
            ])
        #expect(difference.lines(limit: 2).last == "and 2 more")
        #expect(difference.lines(limit: 4).count == 4)
        #expect(SchemaDifference(from: Self.before, to: Self.before.reversed()).isEmpty)
    }

    @Test func ofALongDefinitionThePlaceThatDiffersIsShown() {
        let body = String(repeating: "x", count: 500)
        let lines = SchemaDifference(from: ["function f(): \(body) one \(body)"], to: ["function f(): \(body) two \(body)"]).lines()
        #expect(lines.first?.hasPrefix("~ function f(): …xxxx") == true)
        #expect(lines.first?.contains("one x") == true && lines.first?.contains("two x") == true)
        #expect((lines.first?.count ?? 0) < 300)
    }

    @Test(arguments: [
        ("orders", true, "unqualified"), ("public.orders", true, "qualified"), ("Orders", true, "names without quotes have no case"),
        ("orders.note", true, "a column that differs"), ("orders.id", false, "a column that is as it was"), ("customers", false, "another"),
        ("status", true, "a type"), ("public", true, "a schema stands for all in it"), ("text", false, "a type's name is no object"),
        ("other.orders", false, "the same name elsewhere"), (#""a: b""#, true, "a name in quotes"), ("column", false, "a word of the line"),
    ]) func touchesTellsWhetherAnObjectDiffers(_ name: String, _ expected: Bool, _ why: String) {
        #expect(SchemaDifference(from: Self.before, to: Self.after).touches([name]) == expected, "\(why)")
    }
}
