# Ruby's net/imap against a server that has three messages for alice: ruby.rb CA IMAP IMAPS.
require "net/imap"

authority, imap, imaps = ARGV

def same(what, got, wanted)
  raise "#{what}: got #{got.inspect}, not #{wanted.inspect}" unless got == wanted
end

def refused(*words)
  yield
  raise "#{words} was taken"
rescue Net::IMAP::NoResponseError => error
  error
end

[[imap, {}], [imap, { starttls: true }], [imaps, {}]].each_with_index do |(port, how), turn|
  tls = { ca_file: authority }
  client = how[:starttls] || port == imap ? Net::IMAP.new("localhost", port: port) : Net::IMAP.new("localhost", port: port, ssl: tls)
  client.starttls(tls) if how[:starttls]
  error = refused("a wrong password") { client.login("alice", "wrong") }
  same("its code", error.response.data.code.name, "AUTHENTICATIONFAILED")
  case turn
  when 0 then client.login("alice", "alice")
  when 1 then client.authenticate("PLAIN", "alice", "alice")
  else client.authenticate("CRAM-MD5", "alice", "alice")
  end
  capable = client.capability
  %w[IMAP4REV1 IDLE UIDPLUS MOVE SORT THREAD=REFERENCES NAMESPACE].each { |word| raise "no #{word}" unless capable.map(&:upcase).include?(word) }

  client.select("INBOX")
  same("messages", client.responses["EXISTS"].last, 3)
  same("found", client.uid_search(["SUBJECT", "message 2"]), [2])
  same("sorted", client.sort(["REVERSE", "SUBJECT"], ["ALL"], "UTF-8"), [3, 2, 1])
  same("threads", client.thread("REFERENCES", ["ALL"], "UTF-8").map(&:seqno), [1, 2, 3])
  data = client.fetch(1, %w[UID FLAGS RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE BODY.PEEK[]]).first.attr
  text = data["BODY[]"]
  same("its end", text[/\r\n\r\n(.*)\z/m, 1].b, ".leading dot\r\n..two\r\n.é\r\n\r\nlast line\r\n".b)
  same("its size", data["RFC822.SIZE"], text.bytesize)
  same("its subject", data["ENVELOPE"].subject, "message 1")
  same("who wrote it", "#{data["ENVELOPE"].from[0].mailbox}@#{data["ENVELOPE"].from[0].host}", "bob@localhost")
  body = data["BODYSTRUCTURE"]
  same("what it is", [body.media_type, body.subtype, body.lines], ["TEXT", "PLAIN", 5])
  same("a field", client.fetch(2, "BODY.PEEK[HEADER.FIELDS (SUBJECT)]").first.attr["BODY[HEADER.FIELDS (SUBJECT)]"], "Subject: message 2\r\n\r\n")

  folder = "Tour #{turn}/#{Net::IMAP.encode_utf7("Été & co")}"
  client.create("Tour #{turn}")
  client.create(folder)
  same("listed", client.list("Tour #{turn}/", "*").map { |one| [one.name, one.delim] }, [[folder, "/"]])
  client.subscribe(folder)
  same("subscribed", client.lsub("", "Tour #{turn}/*").map(&:name), [folder])
  client.store(1..2, "+FLAGS", [:Flagged, "$Work"])
  same("flags", client.fetch(1..2, "FLAGS").map { |one| one.attr["FLAGS"] - [:Recent] }, [[:Flagged, "$Work"]] * 2)
  client.copy([1, 3], folder)
  same("status", client.status(folder, %w[MESSAGES UIDNEXT UNSEEN]), { "MESSAGES" => 2, "UIDNEXT" => 3, "UNSEEN" => 2 })
  client.append(folder, "Subject: appended\r\n\r\ntext\r\n", [:Seen], Time.utc(2026, 2, 1, 9, 11, 12))
  client.select(folder)
  last = client.uid_fetch(3, %w[FLAGS INTERNALDATE BODY[]]).first.attr
  same("appended", last["BODY[]"], "Subject: appended\r\n\r\ntext\r\n")
  same("when", last["INTERNALDATE"], " 1-Feb-2026 09:11:12 +0000")
  client.uid_move(3, "Tour #{turn}")
  client.store(1, "+FLAGS", [:Deleted])
  # What MOVE told is in the list of answers too.
  same("expunged", client.expunge.last, 1)
  same("left", client.uid_search("ALL"), [2])

  other = Net::IMAP.new("localhost", port: imap)
  other.login("alice", "alice")
  pushed = nil
  client.idle(30) do |response|
    case response
    when Net::IMAP::ContinuationRequest
      Thread.new { other.append(folder, "Subject: pushed\r\n\r\n", [], nil) }
    when Net::IMAP::UntaggedResponse
      if response.name == "EXISTS"
        pushed = response.data
        client.idle_done
      end
    end
  end
  same("pushed", pushed, 2)
  other.logout

  client.close
  client.rename(folder, "Tour #{turn}/renamed")
  client.delete("Tour #{turn}/renamed")
  error = refused("Nowhere") { client.select("Nowhere") }
  same("its code", error.response.data.code.name, "NONEXISTENT")
  root = client.getquotaroot("INBOX")
  same("its roots", root.grep(Net::IMAP::MailboxQuotaRoot).map(&:mailbox), ["INBOX"])
  same("its bound", root.grep(Net::IMAP::MailboxQuota).map { |one| one.quota.to_i }, [512_000])
  client.select("INBOX")
  client.store(1..2, "-FLAGS", [:Flagged, "$Work"])
  client.logout
  client.disconnect
end
puts "net/imap ok"
