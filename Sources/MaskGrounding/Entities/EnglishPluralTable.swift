/// What ``EnglishPlural`` knows by heart.
enum EnglishPluralTable {
  /// Words behind which a phrase says more about its head.
  static let prepositions: Set<String> = [
    "of", "in", "on", "with", "without", "at", "for", "from", "to", "under", "behind", "beside",
    "near",
    "against", "between", "among", "by",
  ]

  /// Nouns that are the same for one and many, nouns without a singular, and nouns that are not counted.
  static let unchanging: Set<String> = words(
    """
    sheep deer moose elk bison buffalo swine fish goldfish swordfish jellyfish starfish shellfish shrimp squid
    salmon trout cod tuna aircraft spacecraft hovercraft watercraft series species offspring
    scissors pliers tweezers tongs shears glasses sunglasses eyeglasses goggles binoculars headphones earphones
    pants trousers jeans shorts leggings tights pyjamas pajamas overalls clothes skis stairs drawers
    cattle people police poultry livestock vermin
    apparel clothing footwear underwear furniture luggage baggage jewelry jewellery equipment machinery cutlery
    crockery tableware silverware glassware pottery traffic rubbish garbage litter graffiti scenery foliage
    vegetation wildlife grass hay moss ivy wheat corn rice pasta spaghetti bread butter meat beef pork bacon
    broccoli spinach lettuce celery garlic parsley food fruit sushi popcorn honey jam sugar salt milk tea coffee
    water rain snow ice fog smoke dust dirt mud sand gravel soil earth land air lava steam sunlight wood
    timber lumber plywood bamboo concrete asphalt plaster metal steel plastic paper cardboard
    leather wool cotton silk money cash music art
    """)

  /// Singulars and plurals that no ending tells.
  static let irregular: [String: String] = pairs(
    """
    ox oxen  die dice  louse lice  woodlouse woodlice  goose geese  foot feet  forefoot forefeet
    potato potatoes  tomato tomatoes  hero heroes  echo echoes  mosquito mosquitoes  mango mangoes
    volcano volcanoes  torpedo torpedoes  domino dominoes  buffalo buffalo  tornado tornadoes
    cactus cacti  fungus fungi  nucleus nuclei  alga algae  larva larvae  antenna antennae
    axis axes  oasis oases  crisis crises  basis bases  nemesis nemeses  analysis analyses
    parenthesis parentheses
    bacterium bacteria  medium media  phenomenon phenomena  criterion criteria
    quiz quizzes  fez fezzes  whiz whizzes  stomach stomachs  monarch monarchs  matriarch matriarchs
    patriarch patriarchs  loch lochs  eunuch eunuchs
    ski skis  taxi taxis  bikini bikinis  kiwi kiwis  alibi alibis  martini martinis  zucchini zucchini
    menu menus  emu emus  gnu gnus  tutu tutus  haiku haiku
    scarf scarves  wharf wharves  hoof hooves  sheaf sheaves  dwarf dwarves  turf turfs
    passerby passersby  tv tvs  pc pcs  suv suvs
    """)

  /// Second plurals, which are found but not written.
  static let otherPlurals: [String: String] = pairs(
    """
    cactus cactuses  fungus funguses  antenna antennas  mango mangos  mosquito mosquitos  volcano volcanos
    buffalo buffaloes  person persons  mouse mouses  scarf scarfs  hoof hoofs  wharf wharfs  dwarf dwarfs
    octopus octopi  hippopotamus hippopotami  rhinoceros rhinoceroses  platypus platypi  medium mediums
    zucchini zucchinis  tornado tornados  domino dominos  die dies  penny pence
    """)

  /// Endings of whole words, compounds included, and what they turn into; the first that fits holds.
  static let irregularEndings: [(String, String)] = [
    ("person", "people"), ("man", "men"), ("child", "children"), ("mouse", "mice"),
    ("tooth", "teeth"), ("goose", "geese"), ("foot", "feet"), ("knife", "knives"),
    ("wife", "wives"),
    ("life", "lives"), ("elf", "elves"), ("wolf", "wolves"), ("leaf", "leaves"), ("loaf", "loaves"),
    ("thief", "thieves"), ("calf", "calves"), ("half", "halves"),
  ]

  /// Words with such an ending that are regular all the same.
  static let regularInspiteOfEnding: Set<String> = words(
    """
    human roman german norman shaman talisman caiman cayman ottoman brahman superhuman mongoose bigfoot
    tenderfoot sabertooth bluetooth doberman walkman
    """)

  /// Words in -s that are no plurals, besides those in -us, -ss and -is.
  static let singularInS: Set<String> = words(
    """
    gas lens canvas atlas pancreas christmas pajamas news series species gallows rhinoceros cosmos chaos thermos
    asparagus bias pampas alias tapas physics gymnastics athletics mathematics
    """)

  /// What each irregular plural may be the plural of.
  static let singulars: [String: [String]] = {
    var singulars: [String: [String]] = [:]
    for table in [irregular, otherPlurals] {
      for (singular, plural) in table.sorted(by: { $0.key < $1.key }) {
        singulars[plural, default: []].append(singular)
      }
    }
    for (plural, singular) in [("skis", "ski"), ("stairs", "stair"), ("drawers", "drawer")] {
      singulars[plural, default: []].append(singular)
    }
    return singulars
  }()

  private static func words(_ text: String) -> Set<String> {
    Set(text.split { $0.isWhitespace }.map(String.init))
  }

  private static func pairs(_ text: String) -> [String: String] {
    let words = text.split { $0.isWhitespace }.map(String.init)
    precondition(words.count.isMultiple(of: 2), "an odd number of words in a table of pairs")
    return Dictionary(
      stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) },
      uniquingKeysWith: { first, _ in first })
  }
}
