// The formulas of facerec/core/losses.py, for the page that teaches them.

/** ||f(x1) - f(x2)||^2, squared L2, of two arrays of numbers. */
export const squaredDistance = (x1, x2) => x1.reduce((sum, x, k) => sum + (x - x2[k]) ** 2, 0);

/** max(d(A, P) - d(A, N) + margin, 0), from the two squared distances. */
export const hinge = (dPositive, dNegative, margin) => Math.max(dPositive - dNegative + margin, 0);

/** Which of easy, semi-hard and hard a triplet is. */
export function difficulty(dPositive, dNegative, margin) {
  if (dPositive >= dNegative) return "hard";
  return hinge(dPositive, dNegative, margin) > 0 ? "semi-hard" : "easy";
}
