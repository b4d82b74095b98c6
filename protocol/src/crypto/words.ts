/**
 * The words of key names: three lists of 256, so that a byte of a hash picks one. They are short, friendly, plain
 * ASCII, and no word stands in two lists. Their order is part of the protocol's face to people: changing a list
 * renames every hotspot.
 */

/** What it is like. */
export const QUALITIES: readonly string[] = `
  able active adept adroit agile airy alert alive amiable ardent artful astute avid awake balmy beaming
  blissful blithe bold bonny bouncy brainy brave bright brilliant brisk bubbly calm candid capable careful
  caring cheerful cheery chipper chirpy chummy classic clean clear clever comfy cordial cosmic cosy
  courtly crafty creative crisp cuddly curious curly dainty dandy dapper daring dashing dazzling deft
  devoted diligent direct dreamy dulcet dutiful dynamic eager earnest elated elegant eloquent eminent epic
  exact fair faithful fancy fast fearless festive fine fleet fluent fluffy fond frank fresh friendly
  frisky frosty funny gallant generous genial gentle genuine giddy gifted giving glad gleaming glossy
  glowing graceful gracious grand grateful gritty groovy handy happy hardy harmonic hearty helpful heroic
  honest hopeful humble humming jaunty jazzy jolly jovial joyful jubilant keen kind kinetic knowing
  laughing likable lively lofty loyal lucid lucky luminous lunar magic magnetic mellow melodic merry
  mighty mild mindful modern modest musical mystic natural neat nifty nimble noble novel orderly patient
  peaceful peppy perky placid playful pleasant plucky poetic polite precise prime prompt proud prudent
  quaint quick quiet quirky radiant rapid ready refined regal relaxed restful rhythmic robust roomy rosy
  rustic savvy scenic sensible serene sharp shiny silent sincere skilled sleek smart smiling smooth snappy
  snug sociable solar sonic sparkling spirited splendid sporty sprightly spry stable starry stately steady
  stellar sterling sturdy suave sunlit sunny super supple tender thankful thrifty tidy timely tireless
  tranquil trusty truthful unique upbeat useful valiant versatile vibrant vigilant vital vivid warm
  welcome whimsical willing winning wise witty wondrous worthy youthful zealous zesty zippy
`
  .trim()
  .split(/\s+/);

/** A colour, or a thing known by its colour. */
export const COLOURS: readonly string[] = `
  agate alabaster alder almond amber amethyst apricot aqua ash aspen auburn azalea azure bamboo basil bay
  beige beryl birch biscuit blue bluebell brass briar brick bronze brown burgundy butter buttercup caramel
  cardamom carmine carnation carob cashmere cedar celadon cerise cerulean chai chalk chamomile champagne
  charcoal cherry chestnut chicory chrome cider cinnamon citrine citrus clay clementine cloud clover
  cobalt cocoa coconut coffee copper coral cornflower cotton cranberry cream crimson crystal cyan cypress
  daffodil dahlia daisy damson dawn denim diamond dune dusk ebony elder ember emerald fawn fern fig flax
  flint fuchsia garnet ginger golden granite grape graphite green hazel heather henna hickory holly honey
  hyacinth indigo iris iron ivory ivy jade jasmine jasper jet juniper kelp khaki lapis larch laurel lava
  lavender lemon lichen lilac lily lime linen lotus magenta magnolia mahogany maize malachite mango maple
  marble marigold maroon mauve melon midnight mint mocha moss mulberry mustard myrtle nacre navy nectar
  neon nickel nutmeg oak obsidian ochre olive onyx opal orange orchid pansy papaya paprika parsley peach
  peanut pear pearl pebble pecan peony pepper peridot periwinkle pewter pine pink pistachio platinum plum
  poplar poppy porcelain primrose pumpkin purple quartz quince raisin raspberry red reed rhubarb rose
  rosewood rowan ruby russet rust saffron sage sand sapphire satin scarlet sepia sesame shamrock shell
  sienna silk silver sky slate snow sorrel spearmint spice spruce stone straw strawberry sunset syrup tan
  tangerine tansy tawny teak teal thistle thyme tin titanium toffee tomato topaz tulip tundra turquoise
  umber vanilla velvet vermilion violet walnut wheat willow wine wisteria wool yarrow yellow zinc zircon
`
  .trim()
  .split(/\s+/);

/** Who it is; no apes or monkeys, whom a colour could turn into an insult. */
export const ANIMALS: readonly string[] = `
  aardvark albatross alpaca anteater antelope armadillo avocet axolotl badger barracuda bat bear bee
  beetle bison bittern blackbird bluebird bobcat buffalo bullfinch bunny bunting butterfly buzzard camel
  canary caracal cardinal caribou cassowary cat catfish chameleon chamois cheetah chickadee chinchilla
  chipmunk civet cockatoo condor cormorant coyote crane cricket crow curlew deer dingo dipper dolphin
  dormouse dove dragonfly duck eagle echidna egret eider elephant elk emu ermine falcon fennec ferret
  finch firefly flamingo fox frog gannet gazelle gecko gerbil giraffe goat goldfinch goose gopher goshawk
  grebe greyhound gull guppy hamster hare harrier hawk hedgehog heron hippo hoopoe hornbill horse
  hummingbird husky ibex ibis iguana impala jackal jackdaw jaguar jay kakapo kangaroo kestrel kingfisher
  kite kiwi koala koi kookaburra kudu ladybird lapwing lark lemming lemur leopard linnet lion lizard llama
  lobster loon lorikeet lynx macaw magpie mallard manatee manta marlin marmot marten martin meerkat merlin
  mink minnow mockingbird mongoose moorhen moose mouse narwhal nautilus newt nightingale nightjar numbat
  nuthatch ocelot octopus okapi orca oriole oryx osprey ostrich otter owl ox oyster panda pangolin panther
  parakeet parrot partridge peacock pelican penguin perch petrel pheasant pigeon pika pike platypus plover
  pony porcupine puffin puma python quail quetzal quokka quoll rabbit raccoon raven reindeer rhino
  roadrunner robin rook salamander salmon sandpiper seahorse seal serval sheep shrew shrike skylark sloth
  snail sparrow spoonbill squid squirrel stag starfish starling stoat stork sturgeon swallow swan tanager
  tapir tarsier tern terrapin thrush tiger toad tortoise toucan trout tuna turkey turtle urchin vicuna
  vole wallaby walrus warbler weasel whale wigeon wildcat wolf wolverine wombat woodpecker wren yak zebra
`
  .trim()
  .split(/\s+/);
