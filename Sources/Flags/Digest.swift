internal import Crypto

/// The first 16 hexadecimal digits of a text's SHA-256: to tell two versions of one flag apart.
func digest(_ text: String) -> String {
    let digits = Array("0123456789abcdef")
    return String(SHA256.hash(data: Array(text.utf8)).prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
