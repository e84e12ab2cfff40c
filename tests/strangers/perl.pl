# Perl's Mail::IMAPClient and Net::POP3 against a server that has three messages for alice: perl.pl IMAP POP3.
use strict;
use warnings;
use Mail::IMAPClient;
use Net::POP3;

my ($imap_port, $pop3_port) = @ARGV;

sub same {
    my ($what, $got, $wanted) = @_;
    die "$what: got $got, not $wanted\n" unless $got eq $wanted;
}

# Refused, then logged in each way
my $refused = Mail::IMAPClient->new(Server => "127.0.0.1", Port => $imap_port, User => "alice", Password => "wrong", Timeout => 60);
die "a wrong password was right\n" if $refused;
like("why", $@, qr/AUTHENTICATIONFAILED/);
sub like {
    my ($what, $got, $wanted) = @_;
    die "$what: $got\n" unless $got =~ $wanted;
}
my $imap = Mail::IMAPClient->new(
    Server => "127.0.0.1", Port => $imap_port, User => "alice", Password => "alice", Timeout => 60, Uid => 1, Peek => 1)
    or die "no login: $@\n";
for my $word (qw(IMAP4rev1 IDLE UIDPLUS MOVE SORT NAMESPACE QUOTA)) {
    die "no $word\n" unless $imap->has_capability($word);
}
same("separator", $imap->separator, "/");

# Reading
$imap->select("INBOX") or die $imap->LastError;
same("messages", $imap->message_count("INBOX"), 3);
my @uids = $imap->messages;
same("uids", "@uids", "1 2 3");
my $text = $imap->message_string(1);
like("text", $text, qr/\r\n\r\n\.leading dot\r\n\.\.two\r\n\.\xc3\xa9\r\n\r\nlast line\r\n\z/);
same("size", $imap->size(1), length $text);
same("subject", $imap->subject(2), "message 2");
my $headers = $imap->parse_headers(3, "From", "Subject");
same("from", $headers->{From}[0], 'bob@localhost');
same("seen by peeking", join(" ", $imap->seen), "");
my $envelope = $imap->get_envelope(2);
same("envelope", $envelope->{subject}, "message 2");
same("sender", $envelope->{from}[0]{mailboxname} . "@" . $envelope->{from}[0]{hostname}, 'bob@localhost');
my $structure = $imap->get_bodystructure(1);
same("structure", lc($structure->bodytype . "/" . $structure->bodysubtype), "text/plain");
same("found", join(" ", $imap->search('SUBJECT "message 3"')), "3");
same("sorted", join(" ", $imap->sort("REVERSE SUBJECT", "UTF-8", "ALL")), "3 2 1");
my $threads = $imap->thread("REFERENCES", "UTF-8", "ALL");
same("threads", scalar(@$threads), 3);

# Flags
$imap->set_flag("\\Flagged", 1, 2) or die $imap->LastError;
same("flagged", join(" ", $imap->search("FLAGGED")), "1 2");
$imap->see(3) or die $imap->LastError;
same("unseen", $imap->unseen_count("INBOX"), 2);
my $flags = $imap->flags([1, 3]);
same("flags", join(" ", grep { $_ ne "\\Recent" } @{$flags->{1}}, @{$flags->{3}}), "\\Flagged \\Seen");

# Folders
for my $folder ("Lab", "Lab/two words", "Lab/\"quoted\"") {
    $imap->create($folder) or die $imap->LastError;
    die "$folder is not there\n" unless $imap->exists($folder);
}
same("folders", join(",", sort $imap->folders), join(",", sort "INBOX", "Lab", "Lab/\"quoted\"", "Lab/two words"));
$imap->subscribe("Lab") or die $imap->LastError;
same("subscribed", join(",", $imap->subscribed), "Lab");
my $copied = $imap->copy("Lab/two words", 1, 2) or die $imap->LastError;
same("copied", $copied, "1,2");
my $moved = $imap->move("Lab", 3) or die $imap->LastError;
$imap->expunge;
same("left", join(" ", $imap->messages), "1 2");

# APPEND, with flags and a date
my $uid = $imap->append_string("Lab", "Subject: appended\r\n\r\ntext\r\n", "\\Seen \\Flagged", "01-Feb-2026 10:11:12 +0100")
    or die $imap->LastError;
$imap->select("Lab") or die $imap->LastError;
same("appended", $imap->message_string($uid), "Subject: appended\r\n\r\ntext\r\n");
like("internal date", $imap->internaldate($uid), qr/ ?1-Feb-2026 09:11:12 \+0000/);

# Another one changes the mailbox while this one waits
my $other = Mail::IMAPClient->new(
    Server => "127.0.0.1", Port => $imap_port, User => "alice", Password => "alice", Timeout => 60, Authmechanism => "PLAIN")
    or die "no AUTH PLAIN: $@\n";
my $idle = $imap->idle or die $imap->LastError;
$other->append_string("Lab", "Subject: pushed\r\n\r\ntext\r\n") or die $other->LastError;
my $news = join "", @{ $imap->idle_data(30) || [] };
like("pushed", $news, qr/\* 3 EXISTS/);
$imap->done($idle) or die $imap->LastError;
$imap->rename("Lab/two words", "Three words here") or die $imap->LastError;
$imap->delete("Lab/\"quoted\"") or die $imap->LastError;
die "it is still there\n" if $imap->exists("Lab/\"quoted\"");
die "Nowhere is selected\n" if $imap->select("Nowhere");
like("why", $imap->LastError, qr/NONEXISTENT/);
$other->logout or die $other->LastError;
$imap->logout or die $imap->LastError;
print "Mail::IMAPClient ok\n";

sub pop3 {
    return Net::POP3->new("127.0.0.1", Port => $pop3_port, Timeout => 60) || die "no connection: $@\n";
}
my $pop = pop3();
die "a wrong password was right\n" if defined $pop->login("alice", "wrong");
like("why", $pop->message, qr/^\[AUTH\] /);
same("count", $pop->login("alice", "alice"), 2);
my ($count, $octets) = $pop->popstat;
same("popstat", $count, 2);
my $sizes = $pop->list;
same("sizes", $sizes->{1} + $sizes->{2}, $octets);
my $lines = join "", @{ $pop->get(1) };
like("text", $lines, qr/\n\n\.leading dot\n\.\.two\n\.\xc3\xa9\n\nlast line\n\z/);
my $top = join "", @{ $pop->top(2, 1) };
like("top", $top, qr/Subject: message 2\n\n\.leading dot\n\z/);
my $ids = $pop->uidl;
die "the same id twice\n" if $ids->{1} eq $ids->{2};
$pop->delete(1) or die "not deleted\n";
$pop->reset;
same("after RSET", ($pop->popstat)[0], 2);
$pop->delete(2) or die "not deleted\n";
$pop->quit;
$pop = pop3();
same("by APOP", eval { $pop->apop("alice", "alice") } // "none", 1);
same("kept its id", $pop->uidl(1), $ids->{1});
same("capable", exists $pop->capabilities->{UIDL}, 1);
$pop->quit;
print "Net::POP3 ok\n";
