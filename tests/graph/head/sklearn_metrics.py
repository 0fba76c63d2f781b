"""scikit-learn's metrics of made data: sklearn_metrics.py SEED ROWS CLASSES OUT

Writes OUT: a row a line, the label and then f32 probabilities. Two of more than three classes have no picture, and two
are never said; one class is neither.
Prints a line a metric: name, then values.
"""
import sys

import numpy
from sklearn import metrics
from sklearn.calibration import calibration_curve
from scipy.stats import binomtest

seed, rows, classes = (int(word) for word in sys.argv[1:4])
random = numpy.random.RandomState(seed)
labels = random.randint(0, classes, rows)
scores = random.randn(rows, classes) * 1.5
scores[numpy.arange(rows), labels] += 1.5
if classes > 3:
    labels[numpy.isin(labels, [1, classes - 1])] = 0
    scores[:, [2, classes - 1]] -= 20  # far below the others, and no two alike
probabilities = numpy.exp(scores - scores.max(axis=1, keepdims=True))
probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(numpy.float32)
numpy.savetxt(sys.argv[4], numpy.column_stack([labels, probabilities]), fmt="%.9g")

exact = probabilities.astype(numpy.float64)
said = probabilities.argmax(axis=1)
every = list(range(classes))


def show(name, values):
    print(name, *(repr(float(value)) for value in numpy.ravel(values)))


show("confusion", metrics.confusion_matrix(labels, said, labels=every))
precision, recall, f1, support = metrics.precision_recall_fscore_support(labels, said, labels=every, zero_division=0)
show("precision", precision)
show("recall", recall)
show("f1", f1)
show("support", support)
for average in ("macro", "weighted"):
    # Labels are those of the truth and of the answers, as scikit-learn has it where it is not told.
    show(average, metrics.precision_recall_fscore_support(labels, said, average=average, zero_division=0)[:3])
show("accuracy", metrics.accuracy_score(labels, said))
top = 5 if classes > 5 else 1
show("top", metrics.top_k_accuracy_score(labels, exact, k=top, labels=every) if classes > 2
     else metrics.accuracy_score(labels, said))
show("log_loss", metrics.log_loss(labels, exact, labels=every))
for bins in (10, 15):
    right, confidence = exact.max(axis=1), said == labels
    accuracy, mean = calibration_curve(confidence, right, n_bins=bins, strategy="uniform")
    counts = numpy.histogram(right, numpy.linspace(0, 1, bins + 1))[0]
    counts = counts[counts > 0]
    show(f"accuracy{bins}", accuracy)
    show(f"confidence{bins}", mean)
    show(f"ece{bins}", (counts * abs(accuracy - mean)).sum() / rows)
interval = binomtest(int((said == labels).sum()), rows).proportion_ci(method="wilson")
show("interval", [interval.low, interval.high])
