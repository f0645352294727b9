import Testing

/// The built program, run as users run it: one process at a time, so that small machines are not overloaded.
@Suite(.serialized, .timeLimit(.minutes(5))) struct EndToEnd {}
