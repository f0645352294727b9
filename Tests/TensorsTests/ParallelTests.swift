import Synchronization
import Tensors
import Testing

@Suite struct ParallelTests {
    struct Failure: Error, Equatable { let index: Int }

    @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 100]) func resultsComeInOrder(threads: Int, count: Int) throws {
        #expect(try parallelMap(count, threads: threads) { $0 * $0 } == (0..<count).map { $0 * $0 })
    }

    @Test(arguments: [1, 2, 4]) func anErrorIsPassedOnAndEndsTheWork(threads: Int) {
        let started = Mutex(0)
        #expect(throws: Failure(index: 3)) {
            try parallelMap(1_000_000, threads: threads) { index in
                started.withLock { $0 += 1 }
                if index == 3 { throw Failure(index: index) }
            }
        }
        #expect(started.withLock { $0 } < 1_000_000)
    }

    @Test(arguments: [1, 2, 3]) func atMostSoManyRunAtOnce(threads: Int) throws {
        let running = Mutex((now: 0, most: 0))
        _ = try parallelMap(200, threads: threads) { index in
            running.withLock { running in
                running.now += 1
                running.most = max(running.most, running.now)
            }
            // Long enough that another worker meets this one.
            let sum = (0..<20_000).reduce(index) { $0 &* 31 &+ $1 }
            running.withLock { $0.now -= 1 }
            return sum
        }
        #expect(running.withLock { $0.now } == 0)
        #expect((1...threads).contains(running.withLock { $0.most }))
    }
}
