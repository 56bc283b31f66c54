//! The codes: what can be wrong in a file. A code keeps its number and meaning for ever; a new mistake takes a new
//! number. Every code has a sentence `diagnostic.<code>` in the catalogue and a folder of fixtures.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The workspace cannot be used until it is mended.
    Error,
    /// Probably not meant; the workspace is used all the same.
    Warning,
}

impl Severity {
    /// The word used in JSON and as a name in the catalogue.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal $severity:ident,)+) => {
        /// What sort of mistake it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// All codes, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// `L001` and so on.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// How bad this sort is; `lint` in `loa.yaml` may say otherwise for the rules L130 to L145 and L164.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    /// The operating system does not give the file out.
    Unreadable = "L001" Error,
    /// There is no `loa.yaml`.
    NoSettings = "L002" Error,
    /// The file is larger than anybody writes by hand.
    TooLarge = "L003" Error,
    /// The bytes are not UTF-8.
    NotUtf8 = "L004" Error,
    /// The file is not YAML.
    BrokenYaml = "L005" Error,
    /// A tab where YAML wants spaces.
    Tab = "L006" Error,
    /// YAML that these files do not use: tags, a second document, keys that are not text.
    UnusualYaml = "L007" Error,
    /// Nested too deeply, or aliases that multiply.
    TooComplex = "L008" Error,
    /// A key twice in one map.
    DuplicateKey = "L009" Error,
    /// A file that looks like one of ours in a place where nobody reads it.
    Misplaced = "L010" Warning,
    /// Vietnamese in decomposed form.
    NotComposed = "L011" Warning,
    /// A key that is not known.
    UnknownKey = "L012" Error,
    /// A key that has to be there.
    MissingKey = "L013" Error,
    /// A list where a text should be, and so on.
    WrongType = "L014" Error,
    /// A word that is not one of those allowed.
    NotOneOf = "L015" Error,
    /// A number outside its range.
    OutOfRange = "L016" Error,
    /// A text that is no identifier.
    InvalidId = "L017" Error,
    /// The same identifier twice.
    DuplicateId = "L018" Error,
    /// None or several of the keys of which exactly one has to be there.
    ChooseOne = "L019" Error,
    /// No such ward.
    UnknownWard = "L020" Error,
    /// No such channel.
    UnknownChannel = "L021" Error,
    /// No such bulletin.
    UnknownBulletin = "L022" Error,
    /// No such topic.
    UnknownTopic = "L023" Error,
    /// No such contact.
    UnknownContact = "L024" Error,
    /// No such recipe.
    UnknownRecipe = "L025" Error,
    /// No such template.
    UnknownTemplate = "L026" Error,
    /// A text out of all measure.
    TextTooLong = "L027" Error,
    /// No such schedule.
    UnknownSchedule = "L028" Error,
    /// Not a crontab line.
    BadCrontab = "L030" Error,
    /// Not a clock time.
    BadTime = "L031" Error,
    /// Not a date.
    BadDate = "L032" Error,
    /// Not a time zone.
    BadZone = "L033" Error,
    /// Not a length of time.
    BadDuration = "L034" Error,
    /// Not a day of the week.
    BadWeekday = "L035" Error,
    /// Not a web address.
    BadUrl = "L036" Error,
    /// Not a status or class of statuses.
    BadStatus = "L037" Error,
    /// Not an address to listen on.
    BadAddress = "L038" Error,
    /// Not an entry of the network allow-list.
    BadAllowRule = "L039" Error,
    /// The end lies before the beginning.
    Backwards = "L040" Error,
    /// A schedule that never fires.
    NeverFires = "L041" Error,
    /// A schedule that reaches no channel.
    ReachesNothing = "L042" Error,
    /// A channel that no schedule reaches.
    Unreached = "L043" Warning,
    /// A bulletin without the body that a channel carries.
    LacksFormat = "L044" Error,
    /// A rotation without bulletins.
    EmptyRotation = "L045" Error,
    /// A neighbour that does not name this ward in return.
    OneSided = "L046" Warning,
    /// Two wards whose names look alike.
    LookAlike = "L047" Warning,
    /// Two wards with one code.
    DuplicateCode = "L048" Error,
    /// A ward that names itself as a neighbour.
    OwnNeighbour = "L049" Warning,
    /// A parameter that the recipe wants.
    MissingParameter = "L050" Error,
    /// A parameter that the recipe does not know.
    UnknownParameter = "L051" Error,
    /// A secret written into the file.
    PlainSecret = "L052" Error,
    /// Not a reference to a secret.
    BadReference = "L053" Error,
    /// A lease that ends while a call may still run.
    ShortLease = "L054" Error,
    /// Pages served beyond this machine before there are accounts.
    NotLoopback = "L055" Error,
    /// Not a JSON pointer.
    BadPointer = "L056" Error,
    /// A first wait that is longer than the longest.
    RetryBackwards = "L057" Error,
    /// Not a template.
    BadTemplate = "L060" Error,
    /// A name that templates do not know.
    UndefinedName = "L061" Error,
    /// A template that cannot be filled in.
    RenderFailed = "L062" Error,
    /// A recipe that cannot act.
    BadRecipe = "L063" Error,
    /// A contact that nobody verified, in what goes out.
    Unverified = "L064" Error,
    /// A contact in the words that the bulletin does not list.
    Unlisted = "L065" Warning,
    /// A telephone number in the words that is no contact's.
    StrayNumber = "L066" Error,
    /// A brace in what goes out: a template that was not one.
    StrayBrace = "L067" Error,
    /// A contact that nobody verified, listed or named by a template.
    UnverifiedContact = "L100" Error,
    /// A site, link or e-mail address in the words that is no contact's.
    StraySite = "L101" Error,
    /// A bank account in the words that is no contact's.
    StrayAccount = "L102" Error,
    /// An account on a chat service in the words that is no contact's.
    StrayOa = "L103" Error,
    /// What only looks like a contact, or leads elsewhere than it shows.
    Imitation = "L104" Error,
    /// A contact's value that is none of its kind.
    BadContactValue = "L105" Error,
    /// A bulletin that is valid for longer than a contact that it lists.
    OutlivesContact = "L106" Warning,
    /// A contact that expires within a month.
    ExpiresSoon = "L107" Warning,
    /// A contact that has expired, in a bulletin that may still air.
    ExpiredContact = "L108" Error,
    /// An exception that nothing was found for.
    UnusedException = "L109" Warning,
    /// An abbreviation in spoken words that nobody knows.
    UnknownAbbreviation = "L110" Error,
    /// A letter that passes for a Vietnamese one.
    LookAlikeLetter = "L111" Error,
    /// Text in the encoding of an old font.
    LegacyEncoding = "L112" Error,
    /// A word in spoken words that is no Vietnamese and not known.
    UnknownWord = "L113" Warning,
    /// A sign in spoken words that has no sound.
    NoSound = "L114" Warning,
    /// An address in spoken words that has no reading.
    UnknownAddress = "L115" Warning,
    /// A place in spoken words that was to be filled in.
    Placeholder = "L116" Error,
    /// Spoken words without their marks.
    Unaccented = "L117" Warning,
    /// A reading that cannot be spoken.
    BadReading = "L118" Error,
    /// A day or a time in spoken words that there is not.
    Impossible = "L119" Error,
    /// A number that can be read as two: the comma is decimal here and between thousands in English.
    AmbiguousNumber = "L250" Warning,
    /// No such recording.
    UnknownRecording = "L120" Error,
    /// A recording that is no WAV file.
    BadRecording = "L121" Error,
    /// A recording in which nothing is heard.
    SilentRecording = "L122" Error,
    /// A recording that is too short or too long to be a bulletin.
    RecordingLength = "L123" Error,
    /// A recording that is much shorter or longer than the words that it stands for.
    RecordingUnlike = "L251" Warning,
    /// A channel that wants sound where nothing can make it.
    AudioWithoutVoice = "L124" Error,
    /// A channel that wants sound and carries no spoken words.
    AudioNotSpoken = "L125" Error,
    /// A recording that no bulletin names.
    UnusedRecording = "L126" Warning,
    /// One recording for words that differ from ward to ward.
    RecordingForOneWard = "L127" Warning,
    /// No such picture.
    UnknownPicture = "L270" Error,
    /// A picture that is no JPEG or PNG file, damaged, or too large.
    BadPicture = "L271" Error,
    /// A picture whose size or shape does not suit a page.
    PictureSize = "L272" Warning,
    /// A picture that no article shows.
    UnusedPicture = "L273" Warning,
    /// A file among the pictures that is none and that no article shows.
    BadUnusedPicture = "L275" Warning,
    /// A recipe that sends sound on a channel that does not ask for any.
    AudioNotAsked = "L128" Error,
    /// A channel that asks for sound and whose adapter sends none.
    AudioNotSent = "L129" Error,
    /// A channel that gets sound as WAV, of which its device keeps only little.
    AudioTooLarge = "L252" Warning,
    /// A spoken sentence that nobody can follow to its end.
    SentenceTooLong = "L130" Warning,
    /// A telephone number that is said only once.
    NumberNotRepeated = "L131" Warning,
    /// A script without a greeting.
    NoGreeting = "L132" Warning,
    /// A script without a sign-off.
    NoSignOff = "L133" Warning,
    /// Words for a touch screen where there is none.
    ClickHere = "L134" Warning,
    /// A chat message longer than the service takes.
    MessageTooLong = "L135" Error,
    /// More than a counter screen shows.
    SignTooLong = "L136" Warning,
    /// A bulletin without prepared words to take it back.
    NoCorrection = "L137" Warning,
    /// A bulletin without a last day.
    NoExpiry = "L138" Warning,
    /// A last day too far away.
    ExpiryTooFar = "L139" Warning,
    /// A headline that is cut.
    TitleTooLong = "L140" Warning,
    /// A summary that is cut.
    SummaryTooLong = "L141" Warning,
    /// Words in capitals.
    Shouting = "L142" Warning,
    /// An article without a summary.
    NoSummary = "L143" Warning,
    /// A claim without where it comes from.
    ClaimWithoutSource = "L144" Error,
    /// A bulletin that does not say what it claims.
    NoClaims = "L145" Warning,
    /// One person twice among the approvers.
    ApproverTwice = "L160" Error,
    /// Nothing has to be approved.
    ApprovalOff = "L161" Warning,
    /// Nobody may approve.
    NoApprovers = "L162" Warning,
    /// Not a person's name.
    NotAName = "L163" Error,
    /// Something has to be approved of which nobody says who wrote it.
    NoEditors = "L164" Warning,
    /// Fewer people may approve it than it needs.
    TooFewApprovers = "L165" Warning,
    /// Fewer people are listed than an emergency needs.
    TooFewForEmergency = "L166" Warning,
    /// Two people where one editor belongs.
    TwoEditors = "L167" Warning,
    /// One voice and two voices at the same time.
    ScriptAndDialogue = "L170" Error,
    /// A dialogue in which nobody speaks.
    EmptyDialogue = "L171" Error,
    /// A folder where a file should be, a pipe, and so on.
    WrongKind = "L180" Error,
    /// A link to a folder that is not followed.
    LinkedFolder = "L181" Warning,
    /// A schedule whose bulletins are over or not yet begun whenever it fires.
    NothingToSay = "L182" Error,
    /// A character that nobody sees and that changes what people read.
    Invisible = "L183" Error,
    /// Two loudspeakers at one address.
    SameAddress = "L184" Warning,
    /// An address that the network rules do not allow.
    NotAllowed = "L185" Warning,
    /// A loudspeaker that speaks late.
    LateLoudspeaker = "L186" Warning,
    /// A schedule that sends bulletins to the operator's own channel.
    OperatorChannel = "L187" Error,
    /// An operator's channel that is none for messages.
    OperatorNotChat = "L188" Error,
    /// A broadcast that is skipped because something else is heard then.
    GivesUp = "L190" Warning,
    /// A broadcast that waits because something else is heard then.
    GivesWay = "L191" Warning,
    /// A rule for what is heard that forbids nothing.
    RuleSaysNothing = "L200" Error,
    /// Hours that end before they begin.
    BackwardsHours = "L201" Error,
    /// A rule for what is heard that holds in no area.
    HoldsNowhere = "L202" Error,
    /// Windows of one day that have hours in common.
    OverlappingWindows = "L203" Warning,
    /// A window of which other rules leave nothing.
    NeverOpen = "L204" Warning,
    /// An area in which nothing may ever be heard.
    NothingOpen = "L205" Warning,
    /// Sessions that may last longer than any window.
    SessionOutgrowsWindows = "L206" Warning,
    /// A rule for the city as an area.
    CityAlone = "L207" Warning,
    /// Broadcasts of a schedule that a rule for what is heard refuses.
    PartlyRefused = "L210" Warning,
    /// A schedule of which the rules for what is heard leave nothing.
    NeverPermitted = "L211" Error,
    /// An exception for a time at which its schedule does not fire.
    NoSuchOccurrence = "L220" Error,
    /// Two exceptions for one occurrence.
    TwoExceptions = "L221" Error,
    /// An occurrence that is moved to where it is.
    MovedNowhere = "L222" Error,
    /// An exception for wards that its schedule does not reach.
    ExceptionReachesNothing = "L223" Error,
    /// A bulletin in place of another on a day on which it is not valid.
    InvalidThen = "L224" Error,
    /// An occurrence that is moved to a day on which it is not sent.
    MovedToSilence = "L225" Warning,
    /// An occurrence that is moved to a time that is over.
    MovedToPast = "L226" Warning,
    /// A program that makes sound and is not on this machine.
    ProgramMissing = "L230" Warning,
    /// A file that should make sound and cannot be started.
    ProgramNotExecutable = "L231" Warning,
    /// A voice that the engine on this machine does not have.
    UnknownVoice = "L232" Warning,
    /// An airtime target for channels that nobody hears.
    TargetNotHeard = "L240" Error,
    /// An airtime target where no rule and no window says which hours may be filled.
    TargetWithoutHours = "L241" Error,
    /// An airtime target that the plan does not reach.
    TargetNotMet = "L242" Warning,
    /// An id of Zalo's that is not made of digits.
    BadZaloId = "L260" Error,
    /// An Official Account that cannot carry what its channel is for.
    ZaloCannot = "L261" Error,
    /// Less time for an attempt than an Official Account's article may take.
    ZaloHurried = "L295" Warning,
    /// More broadcasts than an Official Account's package permits.
    OverQuota = "L262" Warning,
    /// An adapter that cannot carry what its channel is for.
    AdapterCannot = "L263" Error,
    /// A mail address that is none.
    BadMailbox = "L264" Error,
    /// A channel that sends mail and is for something else than letters.
    MailCannot = "L265" Error,
    /// Mail without encryption to a server beyond the networks of one's own.
    MailInClear = "L266" Error,
    /// A mail server that is no host.
    BadMailServer = "L267" Error,
    /// A recipient of mail who is listed twice.
    RecipientTwice = "L268" Error,
    /// More recipients than a mail server has to take.
    TooManyRecipients = "L269" Error,
    /// Certificates that a channel names and this machine does not have.
    NoAuthorities = "L276" Warning,
    /// Certificates that stand in the file themselves, or where nothing is encrypted.
    BadAuthorities = "L277" Error,
    /// A line of a recipe's `errors` that lines before it leave nothing to decide.
    IdleLine = "L278" Warning,
    /// Words of a bulletin that are longer than the receiver of one of its channels takes.
    TooLongForChannel = "L280" Error,
    /// A channel that is sent something twice after a lost answer, by a recipe with nothing to know it by.
    MayRepeat = "L274" Warning,
    /// A recipe that asks again for longer than an attempt may take.
    PollTooLong = "L279" Warning,
    /// A sound that a recipe would cut into more pieces than are sent.
    TooManyPieces = "L289" Warning,
    /// A sound whose pieces take longer, at the host's pace, than an attempt may.
    PiecesTooSlow = "L290" Warning,
    /// A recipe that sends what is secret between a channel and its device to another host.
    SecretElsewhere = "L281" Warning,
    /// A question of a recipe that may do something.
    ActingQuestion = "L282" Warning,
    /// A recipe whose question shows nothing of whether its channel's account is good.
    UnprovenProbe = "L283" Warning,
    /// A recipe that looks through one page of several.
    OnePage = "L284" Warning,
    /// A parameter of a recipe that is secret and not marked so.
    OpenSecret = "L285" Warning,
    /// A secret that goes over the internet in clear text.
    SecretInClear = "L286" Warning,
    /// A recipe that takes what has the same title for its own.
    FoundByTitle = "L287" Warning,
    /// A recipe that says a secret with the words.
    SecretInWords = "L291" Warning,
    /// A recipe that names the receiver's reference and never takes it.
    NoReceipt = "L292" Warning,
    /// A recipe that leaves a picture on each attempt.
    PictureAgain = "L288" Warning,
    /// A recipe that takes every answer of one status for a yes.
    StatusAlone = "L294" Warning,
    /// A recipe that takes a redirect for a yes wherever it leads.
    AnyRedirect = "L296" Warning,
    /// A recipe that takes what was only taken for done.
    ConfirmedEarly = "L297" Warning,
    /// A recipe that looks for something by another name than it gave it.
    NeverFound = "L298" Warning,
    /// A recipe that brings something else up to date than it found.
    UpdatesFixed = "L299" Warning,
    /// A recipe that makes another page of a bulletin each time.
    PageEachTime = "L300" Warning,
    /// A recipe that stops a device by the call that makes it play.
    StopPlays = "L302" Warning,
    /// Something planned in the night of an account that is too late in the morning.
    LostAtNight = "L301" Warning,
}
