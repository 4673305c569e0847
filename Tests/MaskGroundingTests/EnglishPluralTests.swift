import MaskGrounding
import Testing

@Suite struct EnglishPluralTests {
  static let pairs = [
    ("mug", "mugs"), ("owl", "owls"), ("bus", "buses"), ("sheep", "sheep"), ("person", "people"),
    ("knife", "knives"), ("wine glass", "wine glasses"), ("couch", "couches"), ("dish", "dishes"),
    ("teddy bear", "teddy bears"), ("strawberry", "strawberries"), ("toy", "toys"),
    ("sky", "skies"), ("tomato", "tomatoes"), ("photo", "photos"), ("mouse", "mice"),
    ("fish", "fish"), ("ottoman", "ottomans"), ("woman", "women"), ("child", "children"),
    ("bookshelf", "bookshelves"), ("toothbrush", "toothbrushes"), ("scissors", "scissors"),
    ("skis", "skis"), ("stairs", "stairs"), ("broccoli", "broccoli"), ("box", "boxes"),
    ("human", "humans"), ("blouse", "blouses"), ("mongoose", "mongooses"), ("goose", "geese"),
    ("chest of drawers", "chests of drawers"), ("cup of tea", "cups of tea"),
    ("pair of scissors", "pairs of scissors"), ("man in a hat", "men in a hat"),
    ("mother-in-law", "mothers-in-law"), ("t-shirt", "t-shirts"), ("X-ray", "X-rays"),
    ("quiz", "quizzes"), ("passerby", "passersby"), ("axis", "axes"), ("piano", "pianos"),
  ]

  @Test(arguments: pairs) func aPhraseHasItsPlural(singular: String, plural: String) {
    #expect(EnglishPlural.plural(of: singular) == plural)
    #expect(EnglishPlural.areForms(singular, plural))
    #expect(EnglishPlural.areForms(plural.uppercased(), singular))
  }

  @Test func lettersKeepTheirCase() {
    #expect(EnglishPlural.plural(of: "Bus") == "Buses")
    #expect(EnglishPlural.plural(of: "TV") == "TVs")
    #expect(EnglishPlural.plural(of: "BUS") == "BUSES")
    #expect(EnglishPlural.plural(of: "Person") == "People")
    #expect(EnglishPlural.plural(of: "Knife") == "Knives")
  }

  @Test func aPluralLeadsToItsSingular() {
    for (plural, singular) in [
      ("mugs", "mug"), ("buses", "bus"), ("people", "person"), ("knives", "knife"),
      ("mice", "mouse"),
      ("cities", "city"), ("ties", "tie"), ("boxes", "box"), ("axes", "axe"), ("axes", "axis"),
      ("persons", "person"), ("wine glasses", "wine glass"), ("cups of tea", "cup of tea"),
    ] {
      #expect(EnglishPlural.forms(of: plural).contains(singular), "\(plural)")
    }
  }

  @Test func whatOnlyEndsInSIsNoPlural() {
    for word in ["bus", "glass", "tennis", "gas", "lens", "cactus", "iris"] {
      #expect(!EnglishPlural.forms(of: word).contains(String(word.dropLast())), "\(word)")
    }
    #expect(!EnglishPlural.areForms("dog", "hot dog"))
    #expect(!EnglishPlural.areForms("bear", "bare"))
  }

  @Test func aPhraseWithoutWordsStaysAsItIs() {
    for phrase in ["", " ", "-", "of", "🦉"] {
      #expect(EnglishPlural.forms(of: phrase).first == phrase)
    }
    #expect(EnglishPlural.plural(of: "") == "")
  }
}
