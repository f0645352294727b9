import Testing

/// The built program, run as users run it: one process at a time, so that small machines are not overloaded.
@Suite(.serialized, .timeLimit(.minutes(Soak.isOn ? 600 : 5))) struct EndToEnd {}
