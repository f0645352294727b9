/// `text` on one line: control characters, which file names may contain, are written as \n, \t or \u{1B}.
public func printable(_ text: String) -> String {
    var line = ""
    for character in text.unicodeScalars {
        switch character {
        case "\n": line += "\\n"
        case "\r": line += "\\r"
        case "\t": line += "\\t"
        case _
        where character.properties.generalCategory == .control || character.value == 0x2028
            || character.value == 0x2029:
            line += "\\u{\(String(character.value, radix: 16, uppercase: true))}"
        default: line.unicodeScalars.append(character)
        }
    }
    return line
}
