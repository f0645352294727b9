import Tensors
import Testing

@Suite struct BoxMeanTests {
    @Test(arguments: [(1, 1), (1, 9), (7, 1), (5, 6), (12, 17)], [0, 1, 4])
    func eachValueIsTheMeanOfItsNeighbourhoodInsideTheImage(size: (height: Int, width: Int), radius: Int) {
        let x = random([2, 1, size.height, size.width], seed: 3)
        let found = boxMean(x, radius: radius)
        #expect(found.shape == x.shape)
        let reference = Reference(x)
        let expected = Reference.values(x.shape) { channel, image, row, column in
            var (sum, count) = (0.0, 0.0)
            for y in max(0, row - radius)...min(size.height - 1, row + radius) {
                for x in max(0, column - radius)...min(size.width - 1, column + radius) {
                    sum += reference[channel, image, y, x]
                    count += 1
                }
            }
            return sum / count
        }
        // Differences of sums of up to 17 values below 3.
        #expect(deviation(found.values, expected) < 5e-6)
    }
}
