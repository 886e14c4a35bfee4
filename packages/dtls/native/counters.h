#pragma once

#include <cstdint>

namespace breakwater {

/** What happened, by name; read by metrics through `stats()`. */
#define BREAKWATER_COUNTERS(COUNTER)                                                                          \
  COUNTER(peers)              /* not a count but the number now, handshakes included */                       \
  COUNTER(handshaking)        /* likewise: handshakes in progress */                                          \
  COUNTER(deadlines)          /* likewise: entries of the timer heap, stale ones included */                  \
  COUNTER(datagramsIn)        /* datagrams that arrived, whatever is in them */                               \
  COUNTER(datagramsOut)       /* datagrams handed to the kernel */                                            \
  COUNTER(datagramsTooLong)   /* arrived longer than we take, dropped */                                      \
  COUNTER(datagramsEmpty)     /* arrived without a byte, dropped */                                           \
  COUNTER(datagramsStrange)   /* from nobody we know and not a ClientHello, dropped */                        \
  COUNTER(recordsRefused)     /* wrong version, epoch, type or a lying length, dropped */                     \
  COUNTER(hellosIn)           /* ClientHellos run through the cookie exchange */                              \
  COUNTER(hellosVerified)     /* those that brought a good cookie */                                          \
  COUNTER(hellosOverRate)     /* dropped unread because their source sends too many */                        \
  COUNTER(hellosOverBudget)   /* dropped unread because too many come that prove nothing */                   \
  COUNTER(hellosOverLimit)    /* dropped because a limit of peers was reached */                              \
  COUNTER(handshakesFinished)                                                                                 \
  COUNTER(handshakesResumed)  /* of these, with a session ticket */                                           \
  COUNTER(handshakesHandedOver) /* of these, whose records are ours and no longer OpenSSL's */                \
  COUNTER(ticketsUnknown)     /* session tickets that no key of ours opens; a full handshake follows */        \
  COUNTER(ticketsRefused)     /* those that opened, of a peer who has to prove itself anew */                 \
  COUNTER(sessionsRefused)    /* sessions that were given to us, or a server's tickets, that are of no use */  \
  COUNTER(handshakesFailed)                                                                                   \
  COUNTER(revocationUnknown)  /* of these, because no current revocation list covers the peer */              \
  COUNTER(retransmits)        /* handshake timers that fired */                                               \
  COUNTER(sessionsReplaced)                                                                                   \
  COUNTER(sessionsClosed)                                                                                     \
  COUNTER(plaintextsIn)                                                                                       \
  COUNTER(plaintextsOut)                                                                                      \
  COUNTER(sendsRefused)       /* plaintexts to a peer that has gone, or longer than it can take */            \
  COUNTER(sendQueueFull)      /* datagrams dropped because the kernel took none for too long */               \
  COUNTER(sendErrors)         /* datagrams that the kernel refused */                                         \
  COUNTER(socketErrors)       /* errors that the socket itself reported; it is listened to all the same */         \
  COUNTER(pathErrors)         /* what ICMP, or this host, said of paths; clients only */                       \
  COUNTER(pathErrorsReported) /* of these, what was reported: one a second and peer */

struct Counters {
#define BREAKWATER_COUNTER_FIELD(name) uint64_t name = 0;
  BREAKWATER_COUNTERS(BREAKWATER_COUNTER_FIELD)
#undef BREAKWATER_COUNTER_FIELD
};

}  // namespace breakwater
