package rules

import (
	"math"
	"math/big"
	"strconv"
)

// fraction is the factor of a unit as a quotient of integers: 1/1e9 is one, and no float64 is.
type fraction struct{ numerator, denominator float64 }

// fractionOf returns the fraction that a factor stands for. Those below 1 are one of a whole number.
func fractionOf(factor float64) fraction {
	if factor < 1 {
		return fraction{1, math.Round(1 / factor)}
	}
	return fraction{factor, 1}
}

func (f fraction) times(o fraction) fraction {
	return fraction{f.numerator * o.numerator, f.denominator * o.denominator}
}

func (f fraction) float() float64 { return f.numerator / f.denominator }

func (f fraction) inverse() fraction { return fraction{f.denominator, f.numerator} }

// rational is the number that a float64 was written as: its shortest decimal.
func rational(f float64) *big.Rat {
	x, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	if !ok {
		return nil // It is infinite.
	}
	return x
}

// scaled returns x times the fraction, nil when one of them is not finite.
func (f fraction) scaled(x *big.Rat) *big.Rat {
	if x == nil || math.IsInf(f.numerator, 0) || math.IsInf(f.denominator, 0) {
		return nil
	}
	n, d := new(big.Rat).SetFloat64(f.numerator), new(big.Rat).SetFloat64(f.denominator)
	if n.Sign() == 0 || d.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(new(big.Rat).Mul(x, n), d)
}

// convert returns a number of u as one of o, which measures the same: the float64 that is nearest to it.
func (u Unit) convert(number float64, o Unit) float64 { return u.convertExactly(nil, number, o) }

// convertExactly is convert of a number that is known without rounding; nil is for one that is as it was written.
func (u Unit) convertExactly(exact *big.Rat, number float64, o Unit) float64 {
	if exact == nil {
		exact = rational(number)
	}
	x := o.exact.inverse().scaled(u.exact.scaled(exact))
	if x == nil {
		return number * (u.factor / o.factor)
	}
	f, _ := x.Float64()
	return f
}
