import Testing
import TextLayout

@Suite struct UnifiedDifferenceTests {
    @Test(arguments: [
        ("the same", "a\nb\n", "a\nb\n", ""),
        ("one line", "a\nb\nc\n", "a\nx\nc\n", "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"),
        ("at the end", "a\n", "a\nb\n", "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n a\n+b\n"),
        ("from nothing", "", "a\n", "--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"),
        (
            "without a last line break", "a\nb", "a\nc",
            "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
        ),
        (
            "two changes far apart", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
            "--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"
        ),
        ("a line end of Windows shows", "a\r\nb\n", "a\nb\n", "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\r\n+a\n b\n"),
    ])
    func itReadsAsDiffWritesIt(_ why: String, _ old: String, _ new: String, _ expected: String) {
        let text = UnifiedDifference(from: old, to: new, name: "/f").text()
        #expect(Array(text.utf8) == Array(expected.utf8), "\(why): \(text)")
    }
}
